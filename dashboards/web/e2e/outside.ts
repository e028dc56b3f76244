// Clients of the contract that share no code with the page or the server: a wallboard folded from
// the socket and remembered by sequence number, what the committed events alone say, and an agent.
// What a browser shows is not here (drawn.ts).
import WebSocket from "ws";
import type { Server } from "./server";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Members = { [key: string]: Json };
export type Frame = Members & { type: string };

/** The newest boards that are remembered, enough for two minutes of ticks. */
const BOARDS_KEPT = 600;

/** A socket that says what it hears and answers pings. */
class Line {
  private constructor(private readonly ws: WebSocket) {}

  static async open(server: Server, token: string, hear: (f: Frame) => void): Promise<Line> {
    const url = `${server.url.replace(/^http/, "ws")}/ws`;
    const headers = { authorization: `Bearer ${token}` };
    const ws = new WebSocket(url, "atalaya.v1.json", { headers });
    const line = new Line(ws);
    ws.on("message", (text: Buffer) => {
      const frame = JSON.parse(text.toString("utf8")) as Frame;
      if (frame.type === "ping") line.say({ type: "pong" });
      else hear(frame);
    });
    // A server that is killed takes its sockets along; who needs them says so by what is missing.
    ws.on("error", () => undefined);
    await new Promise((done, fail) => ws.once("open", done).once("error", fail));
    return line;
  }

  say(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  close(): void {
    this.ws.terminate();
  }
}

/** What a wallboard held at one sequence number. */
export interface Held {
  totals: Members;
  queues: { [id: string]: Members };
  agents: { [id: string]: Members };
}

/** The wallboard topic, folded. */
export class Board {
  seq = -1;
  deltas = 0;
  /** What went against the contract. */
  readonly faults: string[] = [];
  private data: Json = null;
  private readonly kept = new Map<number, string>();
  private line: Line | null = null;

  static async open(server: Server, token: string): Promise<Board> {
    const board = new Board();
    board.line = await Line.open(server, token, (frame) => board.hear(frame));
    board.line.say({ type: "subscribe", topic: "wallboard" });
    return board;
  }

  /** What it held at `seq`; undefined where no frame ended at that number. */
  at(seq: number): Held | undefined {
    const text = this.kept.get(seq);
    return text === undefined ? undefined : (JSON.parse(text) as Held);
  }

  close(): void {
    this.line?.close();
  }

  private hear(frame: Frame): void {
    if (frame.topic !== "wallboard") return;
    if (frame.type === "snapshot") this.data = frame.data ?? null;
    else if (frame.from !== this.seq) {
      this.faults.push(`a delta from ${String(frame.from)} after ${this.seq}`);
      return;
    } else {
      this.deltas += 1;
      for (const pointer of frame.remove as string[]) remove(this.data, pointer);
      const set = Object.entries(frame.set as Members);
      for (const [pointer, value] of set) put(this.data, pointer, value);
    }
    this.seq = frame.seq as number;
    this.kept.set(this.seq, JSON.stringify(this.data));
    const oldest = this.kept.keys().next();
    if (BOARDS_KEPT < this.kept.size && !oldest.done) this.kept.delete(oldest.value);
  }
}

/** The holder of what an RFC 6901 pointer names, and its key there. */
function holder(data: Json, pointer: string): [Members | Json[], string] {
  const keys = pointer.split("/").map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
  const last = keys.pop();
  let at = data;
  for (const key of keys.slice(1)) {
    at = (at as Members)[key] ?? null;
  }
  if (at === null || typeof at !== "object" || last === undefined) {
    throw new Error(`nothing holds ${pointer}`);
  }
  return [at, last];
}

function put(data: Json, pointer: string, value: Json): void {
  const [at, key] = holder(data, pointer);
  if (!Array.isArray(at)) at[key] = value;
  else at[key === "-" ? at.length : Number(key)] = value;
}

function remove(data: Json, pointer: string): void {
  const [at, key] = holder(data, pointer);
  if (Array.isArray(at)) at.splice(Number(key), 1);
  else if (!(key in at)) throw new Error(`nothing to remove at ${pointer}`);
  else delete at[key];
}

/** What the committed events alone say: who waits, and each agent's presence. */
export class Log {
  seq = 0;
  private epoch: string | null = null;
  private readonly waiting = new Set<string>();
  private readonly present = new Map<string, string>();

  constructor(private readonly server: Server) {}

  /** Calls `at` after each event that is there and was not read yet, with its number. */
  async read(at: (seq: number) => void): Promise<void> {
    for (;;) {
      const of = this.epoch === null ? "" : `&epoch=${this.epoch}`;
      const page = await this.server.ask("GET", `/events?after=${this.seq}&limit=500${of}`);
      const items = page["items"] as Members[];
      this.epoch = page["epoch"] as string;
      for (const event of items) {
        const seq = event.seq as number;
        if (seq !== this.seq + 1) throw new Error(`event ${seq} after ${this.seq}`);
        this.seq = seq;
        this.fold(event);
        at(seq);
      }
      if (items.length === 0) return;
    }
  }

  get waits(): number {
    return this.waiting.size;
  }

  /** `id=state` of every agent that is signed in, in order. */
  get presences(): string {
    return roll(this.present);
  }

  private fold(event: Members): void {
    const [kind, id = ""] = String(event.entity).split(/:(.*)/s);
    const name = event.event as string;
    if (kind === "contact") {
      if (name === "queued") this.waiting.add(id);
      if (["offer_accepted", "abandoned", "refused"].includes(name)) this.waiting.delete(id);
    } else if (kind === "agent" && name === "presence_changed") {
      const state = (event.data as Members).state as string;
      if (state === "signed_out") this.present.delete(id);
      else this.present.set(id, state);
    }
  }
}

/** `id=state` of each, in order of the ids. */
export const roll = (states: Iterable<[string, string]>): string =>
  [...states]
    .map(([id, state]) => `${id}=${state}`)
    .sort()
    .join(" ");

/** An agent at the socket: signs in, is offered contacts, answers by commands. */
export class AgentClient {
  private readonly offers: Members[] = [];
  private readonly answers = new Map<string, (frame: Frame) => void>();
  private offered: (() => void) | null = null;
  private line: Line | null = null;
  private said = 0;

  static async open(server: Server, token: string): Promise<AgentClient> {
    const agent = new AgentClient();
    agent.line = await Line.open(server, token, (frame) => agent.hear(frame));
    agent.line.say({ type: "subscribe", topic: "agent" });
    return agent;
  }

  /** A command, by its name and arguments; the entity as it is after. */
  async command(command: string, args: object): Promise<Members> {
    const id = `c${(this.said += 1)}`;
    const answer = new Promise<Frame>((done) => this.answers.set(id, done));
    this.line?.say({ type: "command", id, command, args });
    const frame = await answer;
    if (frame.type !== "ack") throw new Error(`${command}: ${JSON.stringify(frame.problem)}`);
    return frame.entity as Members;
  }

  /** The next offer's id. */
  async offer(): Promise<string> {
    if (this.offers.length === 0) await new Promise<void>((done) => (this.offered = done));
    return (this.offers.shift() as Members).offer as string;
  }

  close(): void {
    this.line?.close();
  }

  private hear(frame: Frame): void {
    if (frame.type === "offer") {
      this.offers.push(frame);
      this.offered?.();
    } else if (frame.type === "ack" || frame.type === "nack") {
      this.answers.get(frame.id as string)?.(frame);
    }
  }
}
