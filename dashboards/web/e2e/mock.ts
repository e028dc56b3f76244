// A small server that speaks the contract, for browser tests: it serves the built application
// under the strict policy, opens sessions, and pushes the wallboard. What it pushes, and whether it
// answers at all, is the test's to say. No rule of the centre is here.
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer, type WebSocket } from "ws";
import type { ClientFrame, Problem, Wallboard } from "../src/lib/wire";
import { centre } from "./centre";
import { reply } from "./desk";

export const TOKEN = "un-codigo-de-prueba";
/** The token of a wall: it may read and nothing else. */
export const WALL_TOKEN = "un-codigo-de-pantalla";
const CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const HEARTBEAT_MS = 250;
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
};

export class Mock {
  epoch = "0199c1aa";
  seq = 48_213;
  rate = 1;
  data: Wallboard;
  /** Sessions that stand, by cookie. */
  readonly sessions = new Set<string>();
  /** Frames that clients sent. */
  readonly heard: ClientFrame[] = [];
  /** Requests to the API, `METHOD path`. */
  readonly asked: string[] = [];
  /** Says nothing on open sockets while true. */
  silent = false;
  /** Answers subscriptions with this problem, and pushes nothing. */
  refusal: Problem | null = null;
  /** Refuses sockets while true. */
  refusing = false;
  /** Refuses reading with this, by the second part of the path (`contacts`). */
  readonly forbidden = new Map<string, Problem>();
  /** Figures whose contacts were asked for. */
  readonly queried: string[] = [];
  /** Bodies of what was posted, sessions aside. */
  readonly posted: unknown[] = [];
  /** Put before the page's own files, so that it is another build. */
  build = "";
  private readonly http = createServer((q, r) => void this.answer(q, r));
  private readonly sockets = new WebSocketServer({ noServer: true });
  private readonly beat = setInterval(() => this.push({}), HEARTBEAT_MS);

  private constructor(private readonly start: number) {
    this.data = centre(start);
    this.http.on("upgrade", (request, socket, head) => {
      if (this.refusing || !this.sessions.has(cookie(request, "atalaya"))) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (ws) => this.welcome(ws));
    });
  }

  static async open(start = Date.now()): Promise<Mock> {
    const mock = new Mock(start);
    await new Promise<void>((done) => mock.http.listen(0, "127.0.0.1", done));
    return mock;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get connected(): number {
    return this.sockets.clients.size;
  }

  /** Pushes a delta to every socket; an empty one is a heartbeat. */
  push(set: Record<string, unknown>, remove: string[] = []): void {
    const from = this.seq;
    if (Object.keys(set).length + remove.length > 0) this.seq += 1;
    this.say({
      type: "delta",
      topic: "wallboard",
      from,
      seq: this.seq,
      at: this.now(),
      set,
      remove,
    });
  }

  /** Leaves of each team a few: what holds of one tile holds of all, and a check of all is slow. */
  shrink(): void {
    const kept = new Map<string, number>();
    for (const [id, agent] of Object.entries(this.data.agents)) {
      const n = (kept.get(agent.team) ?? 0) + 1;
      kept.set(agent.team, n);
      const told = agent.state !== "busy" || n === 1;
      if (!told) Reflect.deleteProperty(this.data.agents, id);
    }
    for (const id of Object.keys(this.data.queues).slice(5))
      if (this.data.queues[id]?.state === "open") Reflect.deleteProperty(this.data.queues, id);
  }

  say(frame: object): void {
    if (this.silent || this.refusal !== null) return;
    for (const ws of this.sockets.clients) ws.send(JSON.stringify(frame));
  }

  /** Cuts every socket, as a dead network does. */
  cut(): void {
    for (const ws of this.sockets.clients) ws.terminate();
  }

  /** Closes every socket, as a server going down does. */
  goDown(): void {
    for (const ws of this.sockets.clients) ws.close(1001);
  }

  async close(): Promise<void> {
    clearInterval(this.beat);
    this.cut();
    this.http.closeAllConnections();
    await new Promise<void>((done) => this.http.close(() => done()));
  }

  private now(): string {
    return new Date(this.start + (Date.now() - this.start) * this.rate).toISOString();
  }

  private welcome(ws: WebSocket): void {
    const clock = { at: this.now(), rate: this.rate };
    const frame = { type: "welcome", epoch: this.epoch, session: "s1", heartbeat: "5s", clock };
    if (!this.silent) ws.send(JSON.stringify({ ...frame, agent: null }));
    ws.on("message", (text: Buffer) => {
      const heard = JSON.parse(text.toString("utf8")) as ClientFrame;
      this.heard.push(heard);
      if (heard.type !== "subscribe" || this.silent) return;
      if (this.refusal !== null) {
        ws.send(JSON.stringify({ type: "error", problem: this.refusal }));
        return;
      }
      const had = heard.resume;
      if (had?.epoch === this.epoch && had.seq === this.seq) return;
      const { epoch, seq, data } = this;
      ws.send(
        JSON.stringify({ type: "snapshot", topic: "wallboard", epoch, seq, at: this.now(), data }),
      );
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", this.url);
    response.setHeader("Content-Security-Policy", CSP);
    if (pathname.startsWith("/api/")) await this.api(request, response, pathname);
    else await file(response, pathname, this.build);
  }

  private async api(q: IncomingMessage, r: ServerResponse, pathname: string): Promise<void> {
    const call = `${q.method ?? ""} ${pathname}`;
    this.asked.push(call);
    const session = cookie(q, "atalaya");
    if (call === "POST /api/v1/sessions") {
      const { token } = JSON.parse(await body(q)) as { token: string };
      if (token !== TOKEN && token !== WALL_TOKEN) return problem(r, 401, "unauthenticated");
      const kind = token === TOKEN ? "s" : "wall";
      const id = `${kind}${this.sessions.size}-${Date.now()}`;
      this.sessions.add(id);
      r.setHeader("Set-Cookie", [
        `atalaya=${id}; Path=/; HttpOnly; SameSite=Strict`,
        `atalaya-csrf=c-${id}; Path=/; SameSite=Strict`,
      ]);
      return json(r, 201, { id, role: "supervisor", agent: null, scope: null, csrf: `c-${id}` });
    }
    if (!this.sessions.has(session)) return problem(r, 401, "unauthenticated");
    if (call === "DELETE /api/v1/sessions/current") {
      if (q.headers["atalaya-csrf"] !== `c-${session}`) return problem(r, 403, "csrf");
      this.sessions.delete(session);
      r.setHeader("Set-Cookie", [
        "atalaya=; Path=/; Max-Age=0",
        "atalaya-csrf=; Path=/; Max-Age=0",
      ]);
      r.writeHead(204).end();
      return;
    }
    if (call === "GET /api/v1/wallboard") {
      return json(r, 200, { epoch: this.epoch, seq: this.seq, at: this.now(), data: this.data });
    }
    await this.desk(q, r, call);
  }

  private async desk(q: IncomingMessage, r: ServerResponse, call: string): Promise<void> {
    const session = cookie(q, "atalaya");
    const query = new URL(q.url ?? "/", this.url).searchParams;
    const figure = query.get("counted_in");
    if (figure !== null) this.queried.push(figure);
    const text = q.method === "POST" ? await body(q) : "{}";
    if (q.method === "POST") {
      if (q.headers["atalaya-csrf"] !== `c-${session}`) return problem(r, 403, "csrf");
      this.posted.push(JSON.parse(text));
    }
    const forbidden = this.forbidden.get(call.split("/")[3] ?? "");
    if (forbidden !== undefined) {
      return json(r, forbidden.status ?? 403, forbidden, "application/problem+json");
    }
    const reads = session.startsWith("wall");
    const now = Date.parse(this.now());
    const found = reply(call, query, JSON.parse(text), { data: this.data, now, reads });
    if (found === null) return problem(r, 404, "not-found");
    json(r, found.status, found.body);
  }
}

function cookie(request: IncomingMessage, name: string): string {
  const parts = (request.headers.cookie ?? "").split("; ");
  return parts.find((p) => p.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function json(r: ServerResponse, status: number, value: object, type = "application/json"): void {
  r.writeHead(status, { "Content-Type": type }).end(JSON.stringify(value));
}

function problem(r: ServerResponse, status: number, kind: string): void {
  const value = { type: `urn:atalaya:problem:${kind}`, title: kind, status, detail: kind };
  json(r, status, value, "application/problem+json");
}

async function file(response: ServerResponse, pathname: string, build: string): Promise<void> {
  const page = pathname === "/" || pathname === "/wallboard";
  const path = join(DIST, normalize(page ? "/index.html" : pathname));
  try {
    const read = await readFile(path);
    const bytes = page ? read.toString("utf8").replace("</head>", `${build}</head>`) : read;
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "" }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}
