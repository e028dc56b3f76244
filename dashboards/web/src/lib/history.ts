// The last while of each figure, for sparklines: a ring that the page keeps itself, one value a
// slot of the centre's time, the last one seen in it. A slot in which nothing was heard has the
// value before it, since a figure stands until the wire says otherwise. Nothing is asked for here.
import type { Interval } from "./api";
import { occupancy } from "./board";
import { abandonment } from "./figures";
import type { Board } from "./fold";
import { ratio, secondsSince } from "./formats";

/** An hour for the strip, fifteen minutes for a queue. */
const STRIP_SLOT_MS = 90_000;
export const STRIP_SLOTS = 40;
const QUEUE_SLOT_MS = 30_000;
export const QUEUE_SLOTS = 30;
/** Queues that are followed; one past it has no line. */
const QUEUES_MAX = 200;

export type Point = number | null;

export class Ring {
  private readonly slots = new Map<number, Point>();
  private newest: number | null = null;
  /** What stood before the first slot kept. */
  private base: { slot: number; value: Point } | null = null;
  private made: Point[] | null = null;

  constructor(
    private readonly slotMs: number,
    private readonly size: number,
  ) {}

  put(at: number, value: Point): void {
    const slot = Math.floor(at / this.slotMs);
    // A clock that was set back far starts another history.
    if (this.newest !== null && slot < this.newest - this.size) this.clear();
    if (this.slots.get(slot) === value && this.newest !== null && slot <= this.newest) return;
    this.slots.set(slot, value);
    this.newest = Math.max(slot, this.newest ?? slot);
    for (const [old, stood] of this.slots) {
      if (old > this.newest - this.size) continue;
      this.slots.delete(old);
      if (this.base === null || old > this.base.slot) this.base = { slot: old, value: stood };
    }
    this.made = null;
  }

  /** What was before the page opened; what it saw itself stands. */
  fill(at: number, value: Point): void {
    const slot = Math.floor(at / this.slotMs);
    if (this.newest === null || slot > this.newest || slot <= this.newest - this.size) return;
    if (!this.slots.has(slot)) this.slots.set(slot, value);
    this.made = null;
  }

  /** Oldest first, from the first slot that has a value; the same list until something changes. */
  values(): Point[] {
    if (this.made !== null) return this.made;
    const list: Point[] = [];
    let last = this.base?.value;
    const newest = this.newest ?? -1;
    for (let slot = newest - this.size + 1; slot <= newest; slot += 1) {
      if (this.slots.has(slot)) last = this.slots.get(slot) ?? null;
      if (last !== undefined) list.push(last);
    }
    this.made = list;
    return list;
  }

  private clear(): void {
    this.slots.clear();
    this.newest = null;
    this.base = null;
  }
}

const STRIP = ["waiting", "wait", "service", "abandonment", "ready", "occupancy"] as const;
export type StripLine = (typeof STRIP)[number];

export class History {
  private readonly strip = new Map<StripLine, Ring>(
    STRIP.map((name) => [name, new Ring(STRIP_SLOT_MS, STRIP_SLOTS)]),
  );
  private readonly queues = new Map<string, Ring>();

  observe({ at, data }: Board): void {
    const put = (name: StripLine, value: Point): void => this.strip.get(name)?.put(at, value);
    const { totals } = data;
    put("waiting", totals.waiting);
    put("wait", secondsSince(totals.longest_wait_since, at) ?? 0);
    put("service", totals.service_level_today);
    put("abandonment", abandonment(totals, "today") ?? null);
    put("ready", totals.ready);
    put("occupancy", occupancy(totals));
    for (const [id, queue] of Object.entries(data.queues)) this.queue(id)?.put(at, queue.waiting);
  }

  /** The quarter hours before: what they say of service, abandonment and the longest wait. */
  fill(rows: readonly Interval[]): void {
    const quarters = new Map<number, Interval[]>();
    for (const row of rows) {
      const from = Date.parse(row.from);
      if (Number.isFinite(from)) quarters.set(from, [...(quarters.get(from) ?? []), row]);
    }
    const day: Interval[] = [];
    for (const [from, quarter] of [...quarters].sort(([a], [b]) => a - b)) {
      // Service and abandonment are today's, so they run from the day's start to this quarter.
      day.push(...quarter);
      const sum = (f: (row: Interval) => number): number => day.reduce((n, row) => n + f(row), 0);
      const short = sum((r) => r.short_abandoned);
      const lost = sum((r) => r.abandoned) - short;
      const longest = Math.max(0, ...quarter.map((r) => r.longest_wait_s ?? 0));
      const service = ratio(
        sum((r) => r.answered_within),
        sum((r) => r.answered) + lost,
      );
      this.strip.get("service")?.fill(from, service);
      this.strip.get("abandonment")?.fill(from, ratio(lost, sum((r) => r.offered) - short));
      this.strip.get("wait")?.fill(from, longest);
    }
  }

  line(name: StripLine): Point[] {
    return this.strip.get(name)?.values() ?? [];
  }

  queueLine(id: string): Point[] {
    return this.queues.get(id)?.values() ?? [];
  }

  private queue(id: string): Ring | undefined {
    const known = this.queues.get(id);
    if (known !== undefined || this.queues.size >= QUEUES_MAX) return known;
    const ring = new Ring(QUEUE_SLOT_MS, QUEUE_SLOTS);
    this.queues.set(id, ring);
    return ring;
  }
}

/** Points before which there is no line to speak of. */
const LEAST_POINTS = 3;

/** A line in a box, as the `d` of a path, and where it ends; null without three points. The box is
 *  `slots` wide, so that a young line begins at the right and grows to the left. `top` and `target`
 *  stretch the scale. */
export function sparkPath(
  points: readonly Point[],
  [width, height]: readonly [number, number],
  { slots, top = 0, target = null }: { slots: number; top?: number; target?: number | null },
): { line: string; end: [number, number] | null; goal: number | null } {
  const known = points.filter((p): p is number => p !== null);
  const most = Math.max(top, target ?? 0, ...known) || 1;
  const least = Math.min(0, ...known);
  const first = Math.max(0, slots - points.length);
  const step = (width - 6) / Math.max(1, Math.max(slots, points.length) - 1);
  const x = (i: number): number => 2 + (first + i) * step;
  const y = (v: number): number => height - 3 - ((v - least) / (most - least)) * (height - 6);
  const at = (n: number): string => n.toFixed(1);
  if (known.length < LEAST_POINTS) return { line: "", end: null, goal: null };
  let line = "";
  let pen = "M";
  let end: [number, number] | null = null;
  points.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    line += `${pen}${at(x(i))} ${at(y(value))}`;
    pen = "L";
    end = [x(i), y(value)];
  });
  return { line, end, goal: target === null ? null : y(target) };
}
