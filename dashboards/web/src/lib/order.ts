// An order that holds still while somebody points at it or has the focus in it: what comes and goes
// meanwhile is counted, and applied when they leave or ask for it. Pure.

export interface Shown {
  order: readonly string[];
  /** Changes that wait. */
  waiting: number;
}

/** How many entries differ between what is shown and what should be: those that come, those that
 *  go, and, where neither, those that stand elsewhere. */
export function changesBetween(shown: readonly string[], wanted: readonly string[]): number {
  const had = new Set(shown);
  const will = new Set(wanted);
  const come = wanted.filter((id) => !had.has(id)).length;
  const go = shown.filter((id) => !will.has(id)).length;
  if (come + go > 0) return come + go;
  return wanted.filter((id, i) => shown[i] !== id).length;
}

export class HeldOrder {
  private shown: readonly string[] = [];

  /** What to show: `wanted`, or while `held` what was shown before. */
  next(wanted: readonly string[], held: boolean): Shown {
    if (!held) {
      if (changesBetween(this.shown, wanted) > 0) this.shown = [...wanted];
      return { order: this.shown, waiting: 0 };
    }
    return { order: this.shown, waiting: changesBetween(this.shown, wanted) };
  }

  apply(wanted: readonly string[]): void {
    this.shown = [...wanted];
  }
}
