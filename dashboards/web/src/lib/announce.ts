// What a screen reader is told by itself: one polite line at most each 15 s, and at once only what
// cannot wait: the connection, and a critical figure once a minute. Pure; `mono` is milliseconds.

export const POLITE_MS = 15_000;
export const CRITICAL_MS = 60_000;

export class Announcer {
  polite = "";
  assertive = "";
  private pending: string | null = null;
  private saidAt = Number.NEGATIVE_INFINITY;
  private criticalAt = Number.NEGATIVE_INFINITY;

  /** The newest waits its turn; what it replaces is old by then. */
  say(text: string): void {
    this.pending = text;
  }

  /** Gives back whether it was said; else it may be said politely. */
  critical(text: string, mono: number): boolean {
    if (mono - this.criticalAt < CRITICAL_MS) return false;
    this.criticalAt = mono;
    this.assertive = text;
    return true;
  }

  connection(text: string): void {
    this.assertive = text;
  }

  tick(mono: number): void {
    if (this.pending === null || mono - this.saidAt < POLITE_MS) return;
    this.polite = this.pending;
    this.pending = null;
    this.saidAt = mono;
  }
}
