// The real program on a folder and port of its own, ended with its test.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const PROGRAM = process.env.ATALAYA_BIN;

export class Server {
  private child: ChildProcess | null = null;
  url = "";
  token = "";

  private constructor(private readonly dir: string) {}

  static async open(): Promise<Server> {
    const server = new Server(mkdtempSync(join(tmpdir(), "atalaya-e2e-")));
    await server.start("127.0.0.1:0");
    return server;
  }

  /** Starts the program on its folder: at first on a port it chooses, later where it was. */
  async start(listen = new URL(this.url).host): Promise<void> {
    if (PROGRAM === undefined) throw new Error("ATALAYA_BIN names no program");
    const args = ["serve", "--listen", listen, "--data", this.dir];
    const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^Listening on (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) {
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
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async call(queue: string): Promise<string> {
    const made = await this.ask("POST", "/contacts", { channel: "voice", queue });
    return String(made["id"]);
  }
}
