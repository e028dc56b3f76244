// The state of the wallboard and how frames change it: pure, no socket, no clock, no view.
// A board is never changed in place. What a delta does not touch keeps its identity, so that a
// view redraws only the tiles that changed.
import type { Delta, Resume, Snapshot, Wallboard } from "./wire";

export interface Board {
  epoch: string;
  seq: number;
  /** The centre's instant of the newest frame, milliseconds since the Unix epoch. */
  at: number;
  data: Wallboard;
}

export type Folded =
  | { kind: "board"; board: Board }
  /** The delta does not follow what is had: subscribe again with `resume`. */
  | { kind: "gap" }
  /** The delta cannot be applied to what is had: subscribe again without `resume`. */
  | { kind: "broken"; why: string };

/** Longest JSON Pointer taken, in steps; the data have four. A longer one breaks the delta. */
const MAX_DEPTH = 16;

export const fromSnapshot = (f: Snapshot): Board => ({
  epoch: f.epoch,
  seq: f.seq,
  at: Date.parse(f.at),
  data: f.data,
});

export const resumeOf = (board: Board | null): Resume | null =>
  board === null ? null : { epoch: board.epoch, seq: board.seq };

/** Applies a delta whole or not at all. */
export function applyDelta(board: Board | null, f: Delta): Folded {
  if (board === null || f.from !== board.seq || f.seq < f.from) return { kind: "gap" };
  const edit = new Edit(board.data);
  try {
    for (const pointer of f.remove) edit.remove(steps(pointer));
    for (const [pointer, value] of Object.entries(f.set)) edit.set(steps(pointer), value);
  } catch (e) {
    return { kind: "broken", why: e instanceof Error ? e.message : String(e) };
  }
  const at = Math.max(board.at, Date.parse(f.at));
  return { kind: "board", board: { epoch: board.epoch, seq: f.seq, at, data: edit.root } };
}

/** The steps of a JSON Pointer (RFC 6901). */
export function steps(pointer: string): string[] {
  if (!pointer.startsWith("/")) throw new Error(`not a pointer to a member: "${pointer}"`);
  const parts = pointer
    .slice(1)
    .split("/")
    .map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (parts.length > MAX_DEPTH) throw new Error(`pointer too deep: "${pointer}"`);
  if (parts.includes("__proto__")) throw new Error(`forbidden step in "${pointer}"`);
  return parts;
}

type Node = Record<string, unknown> | unknown[];

const isNode = (x: unknown): x is Node => typeof x === "object" && x !== null;

/** One delta's changes on copies: each container on the way is copied once, however many
 *  pointers pass through it. */
class Edit {
  root: Wallboard;
  private readonly own = new Set<Node>();

  constructor(data: Wallboard) {
    this.root = this.copy(data as unknown as Node) as unknown as Wallboard;
  }

  set(path: string[], value: unknown): void {
    const [parent, last] = this.parent(path);
    if (!Array.isArray(parent)) parent[last] = value;
    else if (last === "-") parent.push(value);
    else parent[index(parent, last, parent.length)] = value;
  }

  /** What is already gone stays gone: removing is said of a level, not of an edge. */
  remove(path: string[]): void {
    const [parent, last] = this.parent(path);
    if (Array.isArray(parent)) parent.splice(index(parent, last, parent.length - 1), 1);
    else delete parent[last];
  }

  private parent(path: string[]): [Node & Record<string, unknown>, string] {
    let node = this.root as unknown as Record<string, unknown>;
    for (const step of path.slice(0, -1)) {
      const child = Object.hasOwn(node, step) ? node[step] : undefined;
      if (!isNode(child)) throw new Error(`nothing at "${step}" of "/${path.join("/")}"`);
      const mine = this.copy(child);
      node[step] = mine;
      node = mine as Record<string, unknown>;
    }
    return [node as Node & Record<string, unknown>, path.at(-1) ?? ""];
  }

  private copy(node: Node): Node {
    if (this.own.has(node)) return node;
    const mine = Array.isArray(node) ? [...node] : { ...node };
    this.own.add(mine);
    return mine;
  }
}

function index(list: unknown[], step: string, most: number): number {
  const i = /^(0|[1-9]\d*)$/.test(step) ? Number(step) : Number.NaN;
  if (!(i <= most)) throw new Error(`no place "${step}" in a list of ${list.length}`);
  return i;
}
