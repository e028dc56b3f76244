// How a kiosk's pages follow each other: which there are, how long one stands, and the slight shift
// of the whole against burn-in. Pure; the page has the timers.

export const PAGES = ["centre", "queues", "people"] as const;
export type PageName = (typeof PAGES)[number];

/** Seconds that a page stands: what the address asks for, within bounds. */
const EVERY_S = 20;
const EVERY_MIN_S = 20;
const EVERY_MAX_S = 60;
/** Seconds between two shifts, and how many places there are. */
const SHIFT_S = 60;
export const SHIFTS = 4;
/** Queues on one page; more make more pages of queues. */
export const QUEUES_PER_PAGE = 10;

export function every(asked: string | null): number {
  const seconds = asked === null || asked === "" ? EVERY_S : Number(asked);
  if (!Number.isFinite(seconds)) return EVERY_S;
  return Math.min(EVERY_MAX_S, Math.max(EVERY_MIN_S, Math.round(seconds)));
}

/** The page after `seconds` of standing there, from where a person left it. */
export const pageAt = (seconds: number, each: number, pages: number): number =>
  Math.floor(Math.max(0, seconds) / each) % Math.max(1, pages);

export const shiftAt = (seconds: number): number =>
  Math.floor(Math.max(0, seconds) / SHIFT_S) % SHIFTS;

export const queuePages = (queues: number): number =>
  Math.max(1, Math.ceil(queues / QUEUES_PER_PAGE));
