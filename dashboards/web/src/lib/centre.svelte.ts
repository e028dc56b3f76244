// The board with what the page adds to it: levels judged at each tick, lines of the past, and the
// roster read once at opening. Wallboard and kiosk both stand on it.
import { looked } from "./address.svelte";
import { intervals, roster, type Profile } from "./api";
import { History } from "./history";
import { judge, type Verdict } from "./judge";
import { windowOr } from "./figures";
import { Levels } from "./levels";
import { Live } from "./live.svelte";
import type { Moment } from "../components/moment";

export class Centre {
  private readonly past = new History();
  private readonly levels = new Levels();
  /** Everybody, signed in or not; empty until read, and where the server does not say. */
  roster = $state.raw<readonly Profile[]>([]);
  readonly live: Live;
  private filled = $state(0);

  /** A wall shows no people, so it asks for none. */
  constructor(wall: boolean) {
    this.live = new Live(
      () => this.opening(wall),
      (board) => this.past.observe(board),
    );
  }

  private readonly verdict = $derived.by((): Verdict | null => {
    const { board, boardNow, mono } = this.live;
    if (board === null) return null;
    const window = windowOr(board.data.totals, looked.window);
    return judge(board.data, this.levels, { now: boardNow, mono }, window);
  });

  /** What every part is given; null before the first data. */
  readonly moment = $derived.by((): Moment | null => {
    void this.filled;
    if (this.verdict === null) return null;
    const { boardNow, silentFor, view } = this.live;
    return {
      now: boardNow,
      age: silentFor,
      verdict: this.verdict,
      past: this.past,
      stale: view.stale,
    };
  });

  private opening(wall: boolean): void {
    void intervals().then((rows) => {
      this.past.fill(rows);
      this.filled += 1;
    });
    if (!wall) void roster().then((all) => (this.roster = all));
  }
}
