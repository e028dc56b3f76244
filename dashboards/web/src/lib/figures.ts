// Figures over windows: which there are, how one is read from the wire, which contacts stand behind
// it. An older server carries fewer; what it lacks is told apart from "nothing measured".
import { ratio } from "./formats";
import type { Queue, Totals } from "./wire";

/** The windows of what is counted; "now" has figures of its own. */
export const WINDOWS = ["15m", "1h", "today"] as const;
export type Window = (typeof WINDOWS)[number];
export const isWindow = (x: unknown): x is Window => WINDOWS.some((w) => w === x);

export const COUNTERS = [
  "offered",
  "answered",
  "abandoned",
  "short_abandoned",
  "refused",
  "overflowed_out",
  "transferred_out",
  "callbacks",
] as const;
export type Counter = (typeof COUNTERS)[number];

/** What has a definition that a person can read. */
export type Figure =
  | "waiting"
  | "longest_wait"
  | "service_level"
  | "abandonment_rate"
  | "ready"
  | "occupancy"
  | "active"
  | Counter;

/** `undefined`: the server does not say; null: nothing measured. */
export type Read = number | null | undefined;

function read(x: Totals | Queue, name: string): Read {
  const value = (x as unknown as Record<string, unknown>)[name];
  return typeof value === "number" || value === null ? value : undefined;
}

export const counted = (x: Totals | Queue, counter: Counter, window: Window): Read =>
  read(x, `${counter}_${window}`);

export const serviceLevel = (x: Totals | Queue, window: Window): Read =>
  read(x, `service_level_${window}`);

/** (abandoned − short) ÷ (offered − short). */
export function abandonment(x: Totals | Queue, window: Window): Read {
  const abandoned = counted(x, "abandoned", window);
  const short = counted(x, "short_abandoned", window);
  const offered = counted(x, "offered", window);
  if (abandoned === undefined || short === undefined || offered === undefined) return undefined;
  return ratio((abandoned ?? 0) - (short ?? 0), (offered ?? 0) - (short ?? 0));
}

/** The windows that the server carries: today always, the sliding ones if it has them. */
export const windowsOf = (x: Totals | Queue): Window[] =>
  WINDOWS.filter((w) => w === "today" || counted(x, "offered", w) !== undefined);

/** The window to show where `wanted` is not carried. */
export const windowOr = (x: Totals | Queue, wanted: Window): Window =>
  windowsOf(x).includes(wanted) ? wanted : "today";

/** Names for `counted_in` of the lists behind a figure, the first is shown first; none where no
 *  contacts stand behind it (agents do). */
export function listsBehind(figure: Figure, window: Window): string[] {
  switch (figure) {
    case "waiting":
    case "longest_wait":
      return ["waiting"];
    case "active":
    case "occupancy":
      return ["active"];
    case "service_level":
      return [`answered_${window}`, `abandoned_${window}`, `short_abandoned_${window}`];
    case "abandonment_rate":
      return [`abandoned_${window}`, `short_abandoned_${window}`, `offered_${window}`];
    case "ready":
      return [];
    default:
      return [`${figure}_${window}`];
  }
}
