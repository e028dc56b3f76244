// What every tile of the wallboard is given besides its data: the centre's instant that timers
// are reckoned at, the page's own, and the memory of levels.
import type { Levels } from "../lib/levels";

export interface Moment {
  now: number;
  mono: number;
  levels: Levels;
}
