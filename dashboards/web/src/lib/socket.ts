// The life of the wallboard's connection: dial, subscribe, fold, notice silence, dial again. It
// holds the board and says after each change what is to be seen (`LinkView`). It draws nothing and
// reads no global: sockets, time, chance and the one question to the server come from a `Host`,
// so that tests run it without waiting.
import { CentreClock } from "./clock";
import { applyDelta, fromSnapshot, resumeOf, type Board } from "./fold";
import { parseFrame, type ClientFrame, type Delta, type Problem, type ServerFrame } from "./wire";

/** Silence after which the page says that its data are old: so soon that it is drawn, on a slow
 *  machine too, before five seconds are over. A frame is due every 2 s. */
export const STALE_AFTER_MS = 4_800;
/** Silence after which the socket is given up: its other end may be gone without a word. */
export const HANG_UP_AFTER_MS = 10_000;
/** Time from dialling to the first data; then the socket is given up. */
export const FIRST_DATA_MS = 10_000;
/** A link this long alive makes the next outage a first one again. */
export const SETTLED_MS = 5_000;
/** The first try comes within this. */
export const FIRST_RETRY_MS = 500;
/** Later tries come between these, by full jitter: walls are many and start together. */
export const RETRY_FLOOR_MS = 500;
export const RETRY_CAP_MS = 30_000;
/** How long "connected again" is said. */
export const BACK_NOTICE_MS = 10_000;

export interface SocketLike {
  send(text: string): void;
  close(code?: number): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export type Standing = "signed_in" | "signed_out" | "unknown";

export interface Host {
  dial(): SocketLike;
  /** Monotonic milliseconds. */
  now(): number;
  /** From 0 to just under 1. */
  random(): number;
  /** Runs once after `ms`; gives the way to call it off. */
  after(ms: number, run: () => void): () => void;
  /** Asks the server whether there is a session. */
  learn(): Promise<Standing>;
}

export type Phase = "connecting" | "live" | "waiting" | "signed_out" | "stopped";

export interface LinkView {
  phase: Phase;
  board: Board | null;
  /** The data are older than STALE_AFTER_MS. */
  stale: boolean;
  /** Monotonic instant of the newest data. */
  dataAt: number | null;
  /** Monotonic instant of the next try, while waiting. */
  retryAt: number | null;
  /** What the server refused, if it said so. */
  problem: Problem | null;
  /** After a gap: how long it was, while it is worth saying. */
  backAfterMs: number | null;
}

/** Wait before try number `attempt` (from 0) of an outage. */
export function retryDelay(attempt: number, random: number): number {
  if (attempt === 0) return random * FIRST_RETRY_MS;
  const top = Math.min(RETRY_CAP_MS, RETRY_FLOOR_MS * 2 ** Math.min(attempt, 16));
  return RETRY_FLOOR_MS + random * (top - RETRY_FLOOR_MS);
}

export class Connection {
  readonly clock = new CentreClock();
  view: LinkView = {
    phase: "connecting",
    board: null,
    stale: false,
    dataAt: null,
    retryAt: null,
    problem: null,
    backAfterMs: null,
  };
  private socket: SocketLike | null = null;
  private attempt = 0;
  /** The server may be asked for the session's standing, this once. */
  private mayAsk = true;
  /** A subscription is out; deltas that do not follow are of before it. */
  private asked = false;
  private liveSince: number | null = null;
  private readonly timers = new Map<string, () => void>();

  constructor(
    private readonly host: Host,
    private readonly changed: (view: LinkView) => void,
  ) {}

  start(): void {
    this.dial();
  }

  /** Ends for good. */
  stop(): void {
    this.finish("stopped");
  }

  /** A person asked for it: try now, and find out whether the session still stands. */
  retryNow(): void {
    if (this.view.phase !== "waiting") return;
    this.mayAsk = true;
    this.dial();
  }

  private dial(): void {
    this.cancel("retry");
    this.liveSince = null;
    this.show({ phase: "connecting", retryAt: null, problem: null });
    const socket = this.host.dial();
    this.socket = socket;
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => this.lost();
    this.arm("first", FIRST_DATA_MS, () => this.lost());
  }

  private receive(text: unknown): void {
    const frame = parseFrame(text);
    if (frame !== null) this.take(frame);
  }

  private take(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        this.mayAsk = false;
        this.clock.anchor(Date.parse(frame.clock.at), frame.clock.rate, this.host.now());
        this.subscribe(frame.epoch === this.view.board?.epoch);
        return;
      case "snapshot":
        this.apply(fromSnapshot(frame));
        return;
      case "delta":
        this.takeDelta(frame);
        return;
      case "ping":
        this.send({ type: "pong" });
        return;
      case "error":
        this.cancel("first");
        this.show({ problem: frame.problem });
        return;
    }
  }

  private takeDelta(frame: Delta): void {
    const folded = applyDelta(this.view.board, frame);
    switch (folded.kind) {
      case "board":
        this.apply(folded.board);
        return;
      case "gap":
        if (!this.asked) this.subscribe(true);
        return;
      case "broken":
        this.subscribe(false);
        return;
    }
  }

  private subscribe(resuming: boolean): void {
    const resume = resuming ? resumeOf(this.view.board) : null;
    this.asked = true;
    this.send({ type: "subscribe", topic: "wallboard", ...(resume ? { resume } : {}) });
  }

  private apply(board: Board): void {
    const now = this.host.now();
    const { stale, dataAt } = this.view;
    this.asked = false;
    this.liveSince ??= now;
    this.clock.observe(board.at, now);
    this.cancel("first");
    this.arm("stale", STALE_AFTER_MS, () => this.show({ stale: true }));
    this.arm("silence", HANG_UP_AFTER_MS, () => this.lost());
    const back: Partial<LinkView> = {};
    if (stale && dataAt !== null) {
      back.backAfterMs = now - dataAt;
      this.arm("back", BACK_NOTICE_MS, () => this.show({ backAfterMs: null }));
    }
    this.show({ phase: "live", board, stale: false, dataAt: now, problem: null, ...back });
  }

  /** The socket is gone, or as good as gone. */
  private lost(): void {
    this.hangUp();
    if (this.liveSince !== null && this.host.now() - this.liveSince >= SETTLED_MS) this.attempt = 0;
    this.liveSince = null;
    const wait = retryDelay(this.attempt, this.host.random());
    this.attempt += 1;
    this.show({ phase: "waiting", retryAt: this.host.now() + wait });
    this.arm("retry", wait, () => this.dial());
    if (!this.mayAsk) return;
    this.mayAsk = false;
    void this.host.learn().then((standing) => {
      const ended = this.view.phase === "stopped" || this.view.phase === "live";
      if (standing === "signed_out" && !ended) this.finish("signed_out");
    });
  }

  private finish(phase: "signed_out" | "stopped"): void {
    this.hangUp();
    for (const name of [...this.timers.keys()]) this.cancel(name);
    this.show({ phase, board: null, stale: false, dataAt: null, retryAt: null, backAfterMs: null });
  }

  /** Lets go of the socket without waiting for its close: a dead peer would not answer it. */
  private hangUp(): void {
    const socket = this.socket;
    this.socket = null;
    this.cancel("first");
    this.cancel("silence");
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private show(part: Partial<LinkView>): void {
    this.view = { ...this.view, ...part };
    this.changed(this.view);
  }

  private arm(name: string, ms: number, run: () => void): void {
    this.cancel(name);
    this.timers.set(
      name,
      this.host.after(ms, () => {
        this.timers.delete(name);
        run();
      }),
    );
  }

  private cancel(name: string): void {
    this.timers.get(name)?.();
    this.timers.delete(name);
  }
}
