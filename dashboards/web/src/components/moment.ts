// What every part of the wallboard is given besides its data: the centre's instant that timers are
// reckoned at, the age of the data, the levels as judged at that instant, and the lines of the past.
import type { History } from "../lib/history";
import type { Verdict } from "../lib/judge";

export interface Moment {
  now: number;
  /** Whole seconds since the newest data came. */
  age: number;
  verdict: Verdict;
  past: History;
  /** Nothing can be done: the data are old. */
  stale: boolean;
}
