// Which dialog stands over the page. One leads to another (a queue's figures to the contacts behind
// one, that to why a contact waits) and back; closing closes them all.
import type { Figure, Window } from "./figures";

export type What =
  | { kind: "definition"; figure: Figure; queue: string | null }
  | { kind: "contacts"; figure: Figure; queue: string | null; window: Window }
  | { kind: "explain"; contact: string }
  | { kind: "queue"; queue: string }
  | { kind: "centre" }
  | { kind: "agent"; agent: string; near: { left: number; top: number } | null }
  | { kind: "help" };

/** Most dialogs one behind another; past it the oldest is forgotten. */
const DEPTH_MAX = 8;

class Opened {
  private stack = $state.raw<What[]>([]);

  get what(): What | null {
    return this.stack.at(-1) ?? null;
  }

  get deep(): boolean {
    return this.stack.length > 1;
  }

  open(what: What): void {
    this.stack = [...this.stack, what].slice(-DEPTH_MAX);
  }

  back(): void {
    this.stack = this.stack.slice(0, -1);
  }

  close(): void {
    this.stack = [];
  }
}

export const opened = new Opened();
