// Lines of the past: a ring by the centre's time, its filling from quarter hours, its path.
import { describe, expect, it } from "vitest";
import { centre } from "../e2e/centre";
import { History, Ring, sparkPath } from "../src/lib/history";

describe("ring", () => {
  it("keeps the last value of each slot, and carries it over those without", () => {
    const ring = new Ring(10, 5);
    expect(ring.values()).toEqual([]);
    for (const [at, value] of [
      [0, 1],
      [9, 2],
      [31, 4],
    ] as const)
      ring.put(at, value);
    expect(ring.values()).toEqual([2, 2, 2, 4]);
    ring.put(50, 5);
    expect(ring.values()).toEqual([2, 2, 4, 4, 5]);
    ring.put(70, null);
    expect(ring.values()).toEqual([4, 4, 5, 5, null]);
  });

  it("gives the same list until something changes", () => {
    const ring = new Ring(10, 5);
    ring.put(0, 1);
    const list = ring.values();
    ring.put(3, 1);
    expect(ring.values()).toBe(list);
    ring.put(3, 2);
    expect(ring.values()).not.toBe(list);
  });

  it("takes what was before, but not over what it saw, nor outside its span", () => {
    const ring = new Ring(10, 4);
    ring.fill(0, 9);
    expect(ring.values()).toEqual([]);
    ring.put(40, 5);
    ring.fill(40, 9);
    ring.fill(20, 3);
    ring.fill(0, 8);
    ring.fill(50, 8);
    expect(ring.values()).toEqual([3, 3, 5]);
  });

  it("starts afresh when the clock was set far back", () => {
    const ring = new Ring(10, 3);
    ring.put(500, 5);
    ring.put(10, 1);
    expect(ring.values()).toEqual([1]);
    ring.put(20, 2);
    expect(ring.values()).toEqual([1, 2]);
  });
});

describe("history", () => {
  const at = Date.parse("2026-03-02T09:42:18Z");
  const row = (from: string, part: object) => ({
    from,
    queue: "a",
    offered: 10,
    answered: 8,
    answered_within: 4,
    abandoned: 2,
    short_abandoned: 0,
    longest_wait_s: 30,
    ...part,
  });

  it("runs the day's service up to each quarter hour, and ends at what the board says", () => {
    const history = new History();
    history.observe({ epoch: "e", seq: 1, at, data: centre(at) });
    history.fill([
      row("2026-03-02T09:15:00Z", { answered_within: 8 }),
      row("2026-03-02T09:00:00Z", {}),
      row("2026-03-02T09:00:00Z", { queue: "b", longest_wait_s: 70 }),
      row("not an instant", {}),
    ]);
    const service = history.line("service");
    expect(service[0]).toBeCloseTo(8 / 20);
    expect(service.at(-2)).toBeCloseTo(16 / 30);
    expect(service.at(-1)).toBe(0.782);
    expect(history.line("wait")[0]).toBe(70);
    expect(history.line("wait").at(-1)).toBe(252);
    expect(history.queueLine("cuantias")).toEqual([1]);
    expect(history.queueLine("none")).toEqual([]);
  });
});

describe("path", () => {
  const slots = 5;

  it("is nothing without three points", () => {
    expect(sparkPath([], [20, 10], { slots }).end).toBeNull();
    expect(sparkPath([3, null, 4], [20, 10], { slots }).end).toBeNull();
  });

  it("begins at the right while young, breaks where nothing was measured", () => {
    const young = sparkPath([0, 0, 4], [26, 10], { slots });
    expect(young.line).toBe("M12.0 7.0L17.0 7.0L22.0 3.0");
    expect(young.end).toEqual([22, 3]);
    const gap = sparkPath([0, 0, null, 4], [26, 10], { slots });
    expect(gap.line).toBe("M7.0 7.0L12.0 7.0M22.0 3.0");
    expect(sparkPath([1, 2, 2], [26, 10], { slots, target: 4 }).goal).toBe(3);
  });
});
