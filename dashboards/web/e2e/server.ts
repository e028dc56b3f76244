// The real program on a folder and port of its own, ended with its test.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const PROGRAM = process.env.ATALAYA_BIN;

export class Server {
  private child: ChildProcess | null = null;
  url = "";
  token = "";

  private constructor(
    private readonly dir: string,
    private readonly words: string[],
  ) {}

  /** `words` are the command and its options, but for the folder and the address. */
  static async open(words = ["serve"]): Promise<Server> {
    const server = new Server(mkdtempSync(join(tmpdir(), "atalaya-e2e-")), words);
    await server.start("127.0.0.1:0");
    return server;
  }

  /** Starts the program on its folder: at first on a port it chooses, later where it was. */
  async start(listen = new URL(this.url).host): Promise<void> {
    if (PROGRAM === undefined) throw new Error("ATALAYA_BIN names no program");
    const args = [...this.words, "--listen", listen, "--data", this.dir];
    const child = spawn(resolve(PROGRAM), args, {
      // In its own folder: no configuration lies there.
      cwd: this.dir,
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Listening on (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        // What it says later is of no use here, and must not fill the pipe.
        child.stdout.resume();
        this.url = url;
        this.token = readFileSync(join(this.dir, "admin.token"), "utf8").trim();
        return;
      }
    }
    throw new Error("the program ended before it listened");
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    return JSON.parse(await this.raw(method, path, body, {})) as Record<string, unknown>;
  }

  /** A command of an agent's own. */
  async act(agent: string, path: string, body: unknown = {}): Promise<void> {
    await this.raw("POST", path, body, { "atalaya-agent": agent });
  }

  /** What is there in another form than JSON. */
  async text(path: string, accept: string): Promise<string> {
    return this.raw("GET", path, undefined, { accept });
  }

  private async raw(
    method: string,
    path: string,
    body: unknown,
    more: Record<string, string>,
  ): Promise<string> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}`, ...more };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  /** A token of its own for a client. */
  async tokenOf(role: string, agent?: string): Promise<string> {
    const body = agent === undefined ? { role } : { role, agent };
    return String((await this.ask("POST", "/tokens", body))["token"]);
  }

  async call(queue: string): Promise<string> {
    const made = await this.ask("POST", "/contacts", { channel: "voice", queue });
    return String(made["id"]);
  }
}
