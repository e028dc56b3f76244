// The centre's clock as the page reckons it: an anchor from `welcome`, running at the centre's
// rate on the browser's monotonic clock, held true by the instants that frames carry. Nothing
// here ticks (live.svelte.ts) and nothing reads a clock: `mono` is an argument, milliseconds.

/** Frames looked at before a clock that runs ahead is set back; a frame comes every 2 s at
 *  least, so a minute or two. */
const WINDOW_FRAMES = 64;
/** How far ahead, in milliseconds of wall time, before it is set back: less is the network. */
const AHEAD_MS = 1_000;

export class CentreClock {
  private at = 0;
  private mono = 0;
  private rate = 1;
  private seen = 0;
  private leastAhead = Number.POSITIVE_INFINITY;

  anchor(at: number, rate: number, mono: number): void {
    this.at = at;
    this.mono = mono;
    this.rate = Math.max(0, rate);
    this.forget();
  }

  /** Milliseconds since the Unix epoch, centre time. */
  now(mono: number): number {
    return this.at + Math.max(0, mono - this.mono) * this.rate;
  }

  /** A frame of this instant has just come. An instant never lies in the future, so a clock
   *  behind it is set forward at once; one that stayed well ahead of every frame is set back. */
  observe(at: number, mono: number): void {
    const ahead = this.now(mono) - at;
    if (ahead < 0) {
      this.anchor(at, this.rate, mono);
      return;
    }
    this.leastAhead = Math.min(this.leastAhead, ahead);
    this.seen += 1;
    if (this.seen < WINDOW_FRAMES) return;
    const late = this.leastAhead;
    this.forget();
    if (late > AHEAD_MS * this.rate) this.anchor(this.now(mono) - late, this.rate, mono);
  }

  private forget(): void {
    this.seen = 0;
    this.leastAhead = Number.POSITIVE_INFINITY;
  }
}
