// The connection's life on a hand-driven clock: subscribe and resume, silence, dying sockets,
// jitter, the one question, refusals. Nothing here waits.
import { beforeEach, describe, expect, it } from "vitest";
import { centre } from "../e2e/centre";
import {
  BACK_NOTICE_MS,
  Connection,
  FIRST_DATA_MS,
  FIRST_RETRY_MS,
  HANG_UP_AFTER_MS,
  RETRY_CAP_MS,
  RETRY_FLOOR_MS,
  retryDelay,
  SETTLED_MS,
  STALE_AFTER_MS,
  type Host,
  type SocketLike,
  type Standing,
} from "../src/lib/socket";

const AT = "2026-03-02T09:42:18Z";

class FakeSocket implements SocketLike {
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  sent: unknown[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  says(frame: object | string): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  dies(): void {
    this.onclose?.();
  }
}

class World implements Host {
  sockets: FakeSocket[] = [];
  questions = 0;
  standing: Standing = "unknown";
  chance = 0.5;
  private time = 0;
  private readonly due: { at: number; run: () => void }[] = [];
  readonly connection = new Connection(this, () => {});
  dial(): FakeSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  now(): number {
    return this.time;
  }
  random(): number {
    return this.chance;
  }
  after(ms: number, run: () => void): () => void {
    const entry = { at: this.time + ms, run };
    this.due.push(entry);
    return () => {
      const i = this.due.indexOf(entry);
      if (i >= 0) this.due.splice(i, 1);
    };
  }
  learn(): Promise<Standing> {
    this.questions += 1;
    return Promise.resolve(this.standing);
  }
  /** Lets `ms` pass, timers in their order. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.due.filter((d) => d.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.due.splice(this.due.indexOf(next), 1);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("nothing was dialled");
    return last;
  }
  get view() {
    return this.connection.view;
  }
}

const welcome = (epoch = "e1") => ({
  type: "welcome",
  epoch,
  clock: { at: AT, rate: 1 },
  agent: null,
});
const snapshot = (seq = 812, epoch = "e1") => ({
  type: "snapshot",
  topic: "wallboard",
  epoch,
  seq,
  at: AT,
  data: centre(Date.parse(AT)),
});
const delta = (from: number, seq: number, set: object = {}) => ({
  type: "delta",
  topic: "wallboard",
  from,
  seq,
  at: AT,
  set,
  remove: [],
});
const subscribe = (resume?: object) => ({
  type: "subscribe",
  topic: "wallboard",
  ...(resume ? { resume } : {}),
});
const settle = () => Promise.resolve().then(() => Promise.resolve());

let world: World;
beforeEach(() => {
  world = new World();
  world.connection.start();
});

const goLive = (): void => {
  world.socket.says(welcome());
  world.socket.says(snapshot());
};

describe("a first connection", () => {
  it("subscribes on welcome and is live with the snapshot", () => {
    world.socket.says(welcome());
    expect(world.socket.sent).toEqual([subscribe()]);
    expect(world.view.phase).toBe("connecting");
    world.socket.says(snapshot());
    expect(world.view.phase).toBe("live");
    expect(world.view.board?.seq).toBe(812);
  });

  it("answers pings and passes over what it does not understand", () => {
    goLive();
    for (const odd of ["{", "[]", '{"type":"new"}', '{"type":"delta","topic":"wallboard"}']) {
      world.socket.says(odd);
    }
    world.socket.says({ type: "ping" });
    expect(world.socket.sent.at(-1)).toEqual({ type: "pong" });
    expect(world.view.board?.seq).toBe(812);
  });

  it("is given up when no data come", () => {
    world.socket.says(welcome());
    world.pass(FIRST_DATA_MS);
    expect(world.sockets[0]?.closed).toBe(true);
    expect(world.view.phase).toBe("waiting");
  });

  it("shows a refusal, and keeps the socket", () => {
    world.socket.says(welcome());
    world.socket.says({ type: "error", problem: { status: 403, title: "Forbidden" } });
    world.pass(FIRST_DATA_MS * 2);
    expect(world.view.problem?.status).toBe(403);
    expect(world.sockets).toHaveLength(1);
  });
});

describe("deltas", () => {
  it("follow one another", () => {
    goLive();
    world.socket.says(delta(812, 820, { "/queues/cuantias/waiting": 5 }));
    world.socket.says(delta(820, 820));
    world.socket.says(delta(820, 821, { "/queues/cuantias/waiting": 6 }));
    expect(world.view.board?.data.queues.cuantias?.waiting).toBe(6);
    expect(world.socket.sent).toHaveLength(1);
  });

  it("with a gap ask once to resume, and go on with the answer", () => {
    goLive();
    world.socket.says(delta(815, 820));
    world.socket.says(delta(820, 821));
    expect(world.socket.sent.slice(1)).toEqual([subscribe({ epoch: "e1", seq: 812 })]);
    world.socket.says(delta(812, 821, { "/totals/waiting": 1 }));
    expect(world.view.board?.seq).toBe(821);
    world.socket.says(delta(830, 831));
    expect(world.socket.sent).toHaveLength(3);
  });

  it("that cannot be applied ask for everything anew", () => {
    goLive();
    world.socket.says(delta(812, 813, { "/queues/nobody/waiting": 1 }));
    expect(world.socket.sent.at(-1)).toEqual(subscribe());
    expect(world.view.board?.seq).toBe(812);
  });
});

describe("silence", () => {
  it("makes the data stale before five seconds are over, not sooner, and gives up the socket later", () => {
    goLive();
    world.pass(STALE_AFTER_MS - 1);
    expect(world.view.stale).toBe(false);
    world.pass(1);
    expect(world.view.stale).toBe(true);
    expect(world.view.phase).toBe("live");
    world.pass(HANG_UP_AFTER_MS - STALE_AFTER_MS);
    expect(world.sockets[0]?.closed).toBe(true);
    expect(world.view.phase).toBe("waiting");
    expect(world.view.board).not.toBeNull();
  });

  it("is broken by empty deltas", () => {
    goLive();
    for (let i = 0; i < 10; i += 1) {
      world.pass(2_000);
      world.socket.says(delta(812, 812));
    }
    expect(world.view.stale).toBe(false);
  });

  it("is not broken by deltas that cannot be applied", () => {
    goLive();
    for (let i = 0; i < 3; i += 1) {
      world.pass(2_000);
      world.socket.says(delta(900, 900));
    }
    expect(world.view.stale).toBe(true);
  });

  it("ends with data, and says for a while how long it was", () => {
    goLive();
    world.pass(7_000);
    world.socket.says(delta(812, 812));
    expect(world.view.stale).toBe(false);
    expect(world.view.backAfterMs).toBe(7_000);
    for (let i = 0; i * 1_000 < BACK_NOTICE_MS; i += 1) {
      world.pass(1_000);
      world.socket.says(delta(812, 812));
    }
    expect(world.view.backAfterMs).toBeNull();
  });

  it("goes on counting over a socket that dies", () => {
    goLive();
    world.pass(3_000);
    world.socket.dies();
    expect(world.view.stale).toBe(false);
    world.pass(2_000);
    expect(world.view.stale).toBe(true);
  });
});

describe("a dead socket", () => {
  it("is tried again soon, resuming where the board stands", () => {
    goLive();
    world.pass(1_000);
    world.socket.dies();
    expect(world.view.phase).toBe("waiting");
    world.pass(FIRST_RETRY_MS / 2);
    expect(world.sockets).toHaveLength(2);
    world.socket.says(welcome());
    expect(world.socket.sent).toEqual([subscribe({ epoch: "e1", seq: 812 })]);
    world.socket.says(delta(812, 815));
    expect(world.view.phase).toBe("live");
    expect(world.view.board?.seq).toBe(815);
  });

  it("does not resume into another epoch, and takes its snapshot", () => {
    goLive();
    world.socket.dies();
    world.pass(FIRST_RETRY_MS);
    world.socket.says(welcome("e2"));
    expect(world.socket.sent).toEqual([subscribe()]);
    world.socket.says(snapshot(3, "e2"));
    expect(world.view.board).toMatchObject({ epoch: "e2", seq: 3 });
  });

  it("that speaks afterwards is not heard", () => {
    goLive();
    const old = world.socket;
    world.pass(HANG_UP_AFTER_MS);
    old.says(delta(812, 813, { "/totals/waiting": 1 }));
    old.dies();
    expect(world.view.board?.seq).toBe(812);
    expect(world.sockets).toHaveLength(1);
  });

  it("is tried now when a person asks", () => {
    goLive();
    world.socket.dies();
    world.connection.retryNow();
    expect(world.sockets).toHaveLength(2);
    world.connection.retryNow();
    expect(world.sockets).toHaveLength(2);
  });
});

describe("waits between tries", () => {
  const waits = (tries: number, between: (i: number) => void): number[] => {
    const seen: number[] = [];
    for (let i = 0; i < tries; i += 1) {
      between(i);
      world.socket.dies();
      const wait = (world.view.retryAt ?? 0) - world.now();
      seen.push(wait);
      world.pass(wait);
    }
    return seen;
  };

  it("grow to the cap while nothing comes", () => {
    world.chance = 0.999999;
    const seen = waits(9, () => {}).map(Math.round);
    expect(seen).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  });

  it("do not start over for a link that dies at once", () => {
    world.chance = 0.999999;
    expect(waits(4, goLive).map(Math.round)).toEqual([500, 1000, 2000, 4000]);
  });

  it("start over after a link that held", () => {
    world.chance = 0.999999;
    const seen = waits(4, () => {
      goLive();
      for (let ms = 0; ms < SETTLED_MS; ms += 1_000) {
        world.pass(1_000);
        world.socket.says(delta(812, 812));
      }
    });
    expect(seen.map(Math.round)).toEqual([500, 500, 500, 500]);
  });

  it("are spread over the whole range", () => {
    expect(retryDelay(0, 0)).toBe(0);
    for (const attempt of [1, 5, 10, 5000]) {
      const top = Math.min(RETRY_CAP_MS, RETRY_FLOOR_MS * 2 ** attempt);
      expect(retryDelay(attempt, 0)).toBe(RETRY_FLOOR_MS);
      expect(retryDelay(attempt, 0.5)).toBeCloseTo((RETRY_FLOOR_MS + top) / 2);
      expect(retryDelay(attempt, 0.999)).toBeLessThan(top);
    }
  });
});

describe("the one question", () => {
  it("is asked once when the socket never opened, and leads to signing in", async () => {
    world.standing = "signed_out";
    world.socket.dies();
    await settle();
    expect(world.questions).toBe(1);
    expect(world.view.phase).toBe("signed_out");
    world.pass(RETRY_CAP_MS * 2);
    expect(world.sockets).toHaveLength(1);
  });

  it("is not asked again, nor after a welcome", async () => {
    for (let i = 0; i < 4; i += 1) {
      world.socket.dies();
      await settle();
      world.pass(RETRY_CAP_MS);
    }
    expect(world.questions).toBe(1);
    goLive();
    world.socket.dies();
    expect(world.questions).toBe(1);
  });

  it("is asked anew when a person tries and fails", async () => {
    goLive();
    world.standing = "signed_out";
    world.socket.dies();
    world.connection.retryNow();
    world.socket.dies();
    await settle();
    expect(world.questions).toBe(1);
    expect(world.view.phase).toBe("signed_out");
  });
});

it("stopped, it dials no more and forgets what it showed", () => {
  goLive();
  world.connection.stop();
  expect(world.socket.closed).toBe(true);
  world.pass(RETRY_CAP_MS * 2);
  expect(world.sockets).toHaveLength(1);
  expect(world.view).toMatchObject({ phase: "stopped", board: null, stale: false });
});
