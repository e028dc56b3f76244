// An order that holds still, moving among tiles, what is read out and when, pages of a wall, builds.
import { describe, expect, it } from "vitest";
import { Announcer, CRITICAL_MS, POLITE_MS } from "../src/lib/announce";
import { filesOf, isOther } from "../src/lib/build";
import { every, pageAt, queuePages, shiftAt, SHIFTS } from "../src/lib/kiosk";
import { changesBetween, HeldOrder } from "../src/lib/order";
import { nextIndex, type Box, type Move } from "../src/lib/roving";

describe("held order", () => {
  it("counts who comes and goes, else who stands elsewhere", () => {
    expect(changesBetween(["a", "b"], ["a", "b"])).toBe(0);
    expect(changesBetween(["a", "b"], ["b", "c", "d"])).toBe(3);
    expect(changesBetween(["a", "b", "c"], ["b", "a", "c"])).toBe(2);
  });

  it("stands while held, is applied when let go or asked", () => {
    const order = new HeldOrder();
    expect(order.next(["a", "b"], false).order).toEqual(["a", "b"]);
    expect(order.next(["c", "a", "b"], true)).toEqual({ order: ["a", "b"], waiting: 1 });
    order.apply(["c", "a", "b"]);
    expect(order.next(["c", "a", "b"], true)).toEqual({ order: ["c", "a", "b"], waiting: 0 });
    expect(order.next([], true)).toEqual({ order: ["c", "a", "b"], waiting: 3 });
    expect(order.next([], false)).toEqual({ order: [], waiting: 0 });
  });
});

describe("moving among tiles", () => {
  // Two rows of three and two, then one alone: another team, a little to the right.
  const boxes: Box[] = [
    { left: 0, top: 0 },
    { left: 10, top: 1 },
    { left: 20, top: 0 },
    { left: 0, top: 50 },
    { left: 10, top: 50 },
    { left: 14, top: 100 },
  ];

  it.each<[number, Move, number]>([
    [0, "ArrowLeft", 0],
    [2, "ArrowRight", 3],
    [5, "ArrowRight", 5],
    [2, "ArrowDown", 4],
    [4, "ArrowDown", 5],
    [5, "ArrowDown", 5],
    [5, "ArrowUp", 4],
    [0, "ArrowUp", 0],
    [1, "End", 2],
    [2, "Home", 0],
    [4, "Home", 3],
  ])("from %i %s to %i", (from, move, to) => {
    expect(nextIndex(boxes, from, move)).toBe(to);
  });

  it("starts at the first where it stood nowhere", () => {
    expect(nextIndex(boxes, -1, "ArrowDown")).toBe(0);
  });
});

describe("what is read out", () => {
  it("is one polite line at most each 15 s, the newest", () => {
    const told = new Announcer();
    told.say("one");
    told.tick(0);
    expect(told.polite).toBe("one");
    told.say("two");
    told.say("three");
    told.tick(POLITE_MS - 1);
    expect(told.polite).toBe("one");
    told.tick(POLITE_MS);
    expect(told.polite).toBe("three");
  });

  it("is critical once a minute, of the connection at any time", () => {
    const told = new Announcer();
    expect(told.critical("a", 0)).toBe(true);
    expect(told.critical("b", CRITICAL_MS - 1)).toBe(false);
    expect(told.assertive).toBe("a");
    told.connection("back");
    expect(told.assertive).toBe("back");
    expect(told.critical("c", CRITICAL_MS)).toBe(true);
  });
});

describe("a wall", () => {
  it("stands 20 to 60 s on a page, whatever it is asked", () => {
    expect([null, "", "x", "5", "30", "600"].map(every)).toEqual([20, 20, 20, 20, 30, 60]);
  });

  it("turns in order and starts again, and shifts each minute", () => {
    expect([0, 19, 20, 59, 60].map((s) => pageAt(s, 20, 3))).toEqual([0, 0, 1, 2, 0]);
    expect([-1, 59, 60, 60 * SHIFTS].map(shiftAt)).toEqual([0, 0, 1, 0]);
    expect([0, 10, 11, 25].map(queuePages)).toEqual([1, 1, 2, 3]);
  });
});

describe("a build", () => {
  const page = (hash: string): string =>
    `<script type="module" src="/assets/index-${hash}.js"></script><link href="/assets/a.css">`;

  it("is another when its files are; an answer without files is none", () => {
    expect(filesOf(page("x"))).toEqual(["/assets/a.css", "/assets/index-x.js"]);
    expect(isOther(page("x"), page("x"))).toBe(false);
    expect(isOther(page("x"), page("y"))).toBe(true);
    expect(isOther(page("x"), "<h1>502</h1>")).toBe(false);
  });
});
