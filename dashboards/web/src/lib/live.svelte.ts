// The connection as components see it. Frames are folded as they come; what they make is shown
// once a browser frame, however many came. One 1 Hz clock ticks the whole page, on the centre's
// full seconds while its rate is 1.
import type { Board } from "./fold";
import { browserHost } from "./session";
import { Connection, type LinkView } from "./socket";

const TICK_MS = 1_000;

export class Live {
  private readonly connection = new Connection(browserHost(), () => this.changed());
  view = $state.raw<LinkView>(this.connection.view);
  /** What is shown: the newest, or while paused what was shown when it began. */
  board = $state.raw<Board | null>(null);
  /** Monotonic instant at which updates were paused; null: they are not. */
  pausedAt = $state<number | null>(null);
  /** Centre time now, milliseconds since the Unix epoch; null before `welcome`. */
  now = $state<number | null>(null);
  /** Centre time that timers are reckoned at: `now`, or the data's own instant once stale. */
  boardNow = $state(0);
  /** Monotonic milliseconds at the last tick. */
  mono = $state(0);
  private frame: number | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private opened = false;

  /** `onopen`: data have come for the first time. `onboard`: another board, shown or not. */
  constructor(
    private readonly onopen: () => void = () => undefined,
    private readonly onboard: (board: Board) => void = () => undefined,
  ) {}

  start(): void {
    this.tick();
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    if (this.timer !== null) clearTimeout(this.timer);
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  /** Stops the picture, not the connection; again, and the newest is shown. */
  togglePause(): void {
    this.pausedAt = this.pausedAt === null ? performance.now() : null;
    if (this.pausedAt === null) this.board = this.connection.view.board;
    this.read();
  }

  /** Whole seconds since the picture was paused. */
  get pausedFor(): number {
    return this.pausedAt === null ? 0 : Math.max(0, Math.floor((this.mono - this.pausedAt) / 1000));
  }

  /** Whole seconds without data. */
  get silentFor(): number {
    const { dataAt } = this.view;
    return dataAt === null ? 0 : Math.max(0, Math.floor((this.mono - dataAt) / 1000));
  }

  /** Whole seconds until the next try; null when none is set. */
  get retryIn(): number | null {
    const { retryAt } = this.view;
    return retryAt === null ? null : Math.max(0, Math.ceil((retryAt - this.mono) / 1000));
  }

  private changed(): void {
    const { board } = this.connection.view;
    if (board !== null && !this.opened) {
      this.opened = true;
      this.onopen();
    }
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.flush();
    });
  }

  private flush(): void {
    const before = this.view;
    const view = this.connection.view;
    this.view = view;
    if (view.board !== null && view.board !== before.board) this.onboard(view.board);
    if (view.board === null) this.pausedAt = null;
    if (this.pausedAt === null) this.board = view.board;
    const first = before.board === null && view.board !== null;
    if (first || before.stale !== view.stale || before.phase !== view.phase) this.read();
  }

  private read(): void {
    const view = this.connection.view;
    this.mono = performance.now();
    const now = this.connection.clock.now(this.mono);
    this.now = view.dataAt === null ? null : now;
    // Timers stand still with what they belong to.
    if (this.pausedAt !== null && this.board !== null) this.boardNow = this.board.at;
    else this.boardNow = view.stale && view.board !== null ? view.board.at : now;
  }

  private tick(): void {
    this.read();
    const into = this.now === null ? 0 : this.now % TICK_MS;
    this.timer = setTimeout(() => this.tick(), TICK_MS - into + 5);
  }
}
