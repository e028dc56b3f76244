// The fold: snapshots, deltas, gaps, pointers, and what keeps its identity.
import { describe, expect, it } from "vitest";
import { centre } from "../e2e/centre";
import { applyDelta, fromSnapshot, resumeOf, steps, type Board } from "../src/lib/fold";
import type { Delta, Snapshot } from "../src/lib/wire";

const AT = "2026-03-02T09:42:18Z";
const snapshot = (seq = 812): Snapshot => ({
  type: "snapshot",
  topic: "wallboard",
  epoch: "e1",
  seq,
  at: AT,
  data: centre(Date.parse(AT)),
});
const delta = (part: Partial<Delta>): Delta => ({
  type: "delta",
  topic: "wallboard",
  from: 812,
  seq: 813,
  at: "2026-03-02T09:42:19Z",
  set: {},
  remove: [],
  ...part,
});
const board = (): Board => fromSnapshot(snapshot());
const good = (b: Board, d: Delta): Board => {
  const folded = applyDelta(b, d);
  if (folded.kind !== "board") throw new Error(folded.kind);
  return folded.board;
};

describe("a delta", () => {
  it("sets and removes, and moves seq and instant", () => {
    const after = good(
      board(),
      delta({
        set: { "/queues/cuantias/waiting": 9, "/totals/waiting": 27 },
        remove: ["/agents/agent.004"],
      }),
    );
    expect(after.seq).toBe(813);
    expect(after.at).toBe(Date.parse("2026-03-02T09:42:19Z"));
    expect(after.data.queues.cuantias?.waiting).toBe(9);
    expect(after.data.totals.waiting).toBe(27);
    expect(after.data.agents["agent.004"]).toBeUndefined();
  });

  it("leaves the board before it as it was", () => {
    const before = board();
    const text = JSON.stringify(before);
    good(before, delta({ set: { "/queues/cuantias/waiting": 9 }, remove: ["/agents/agent.004"] }));
    expect(JSON.stringify(before)).toBe(text);
  });

  it("keeps the identity of what it does not touch", () => {
    const before = board();
    const after = good(before, delta({ set: { "/agents/agent.001/state": "ready" } }));
    expect(after.data.queues).toBe(before.data.queues);
    expect(after.data.agents["agent.002"]).toBe(before.data.agents["agent.002"]);
    expect(after.data.agents["agent.001"]).not.toBe(before.data.agents["agent.001"]);
  });

  it("without changes is a heartbeat: only the instant moves", () => {
    const before = board();
    const after = good(before, delta({ seq: 812, at: "2026-03-02T09:42:20Z" }));
    expect(after.seq).toBe(812);
    expect(after.at).toBeGreaterThan(before.at);
    expect(after.data.queues).toBe(before.data.queues);
  });

  it("never moves the instant back", () => {
    const before = board();
    expect(good(before, delta({ at: "2026-03-02T09:00:00Z" })).at).toBe(before.at);
  });

  it.each([
    ["of an earlier seq", { from: 811 }],
    ["of a later seq", { from: 813, seq: 814 }],
    ["that goes back", { from: 812, seq: 811 }],
  ])("%s is a gap", (_, part) => {
    expect(applyDelta(board(), delta(part)).kind).toBe("gap");
  });

  it("before any snapshot is a gap", () => {
    expect(applyDelta(null, delta({})).kind).toBe("gap");
  });

  it.each([
    ["/queues/nobody/waiting", 1],
    ["/totals/waiting/deeper", 1],
    ["no-slash", 1],
    ["/agents/__proto__/state", "ready"],
    ["/agents/__proto__", { x: 1 }],
    ["/alerts/7", {}],
    [`/${"a/".repeat(20)}b`, 1],
  ])("that sets %s is broken, and applied in no part", (pointer, value) => {
    const before = board();
    const text = JSON.stringify(before);
    const folded = applyDelta(before, delta({ set: { "/totals/waiting": 99, [pointer]: value } }));
    expect(folded.kind).toBe("broken");
    expect(JSON.stringify(before)).toBe(text);
    expect(({} as Record<string, unknown>).state).toBeUndefined();
  });

  it("takes lists: append, replace, remove", () => {
    const at = (b: Board) => (b.data as unknown as { alerts: unknown[] }).alerts;
    let b = good(board(), delta({ set: { "/alerts/-": "a" } }));
    b = good(b, delta({ from: 813, seq: 814, set: { "/alerts/1": "b", "/alerts/0": "c" } }));
    expect(at(b)).toEqual(["c", "b"]);
    b = good(b, delta({ from: 814, seq: 815, remove: ["/alerts/0"] }));
    expect(at(b)).toEqual(["b"]);
  });

  it("removes what is already gone without complaint", () => {
    expect(applyDelta(board(), delta({ remove: ["/agents/nobody"] })).kind).toBe("board");
  });
});

describe("pointers and resume", () => {
  it("unescapes in the order of RFC 6901", () => {
    expect(steps("/agents/a~1b~0c/~01")).toEqual(["agents", "a/b~c", "~1"]);
  });

  it("names epoch and seq", () => {
    expect(resumeOf(board())).toEqual({ epoch: "e1", seq: 812 });
    expect(resumeOf(null)).toBeNull();
  });
});
