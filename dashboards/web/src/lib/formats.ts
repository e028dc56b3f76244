// How figures, durations and instants are written. Pure: no language or clock is read from
// anywhere. Nothing measured is "—", in one place.
import type { Lang } from "../i18n";

export const NONE = "—";
/** The centre's day and hours; the wire does not carry the zone. */
export const CENTRE_TIME_ZONE = "Europe/Madrid";

const LOCALE: Record<Lang, string> = { es: "es-ES", en: "en-GB", qps: "es-ES" };

const once = <T>(make: (locale: string) => T): ((lang: Lang) => T) => {
  const made = new Map<Lang, T>();
  return (lang) => {
    const known = made.get(lang);
    if (known !== undefined) return known;
    const fresh = make(LOCALE[lang]);
    made.set(lang, fresh);
    return fresh;
  };
};

const counts = once((l) => new Intl.NumberFormat(l, { maximumFractionDigits: 0 }));
const shares = once(
  (l) => new Intl.NumberFormat(l, { style: "percent", maximumFractionDigits: 0 }),
);
const times = once(
  (l) =>
    new Intl.DateTimeFormat(l, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZone: CENTRE_TIME_ZONE,
    }),
);
const orders = once((l) => new Intl.Collator(l, { numeric: true }));

export const count = (lang: Lang, n: number | null | undefined): string =>
  n === null || n === undefined ? NONE : counts(lang).format(n);

/** A share from 0 to 1, in whole per cent. */
export const share = (lang: Lang, x: number | null | undefined): string =>
  x === null || x === undefined || !Number.isFinite(x) ? NONE : shares(lang).format(x);

const minutes = once(
  (l) =>
    new Intl.DateTimeFormat(l, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone: CENTRE_TIME_ZONE,
    }),
);

/** Hour and minute in the centre, which suffice for what is past. */
export const hourOf = (lang: Lang, instant: string | null): string => {
  const ms = instant === null ? Number.NaN : Date.parse(instant);
  return Number.isFinite(ms) ? minutes(lang).format(ms) : NONE;
};

/** Time of day in the centre, 24 h. */
export const timeOfDay = (lang: Lang, ms: number): string => times(lang).format(ms);

export const inOrder = (lang: Lang): Intl.Collator => orders(lang);

/** Whole seconds from an instant on the wire until `now`; null where there is none. */
export function secondsSince(since: string | null | undefined, now: number): number | null {
  if (since === null || since === undefined) return null;
  const start = Date.parse(since);
  return Number.isFinite(start) ? Math.max(0, Math.floor((now - start) / 1000)) : null;
}

/** Whole seconds of what was reckoned; null and absent stay nothing. */
export const whole = (seconds: number | null | undefined): number | null =>
  seconds === null || seconds === undefined ? null : Math.floor(seconds);

const two = (n: number): string => String(n).padStart(2, "0");

/** A duration as configured (`"20s"`), with a space that does not break: "20 s". */
export const within = (duration: string): string =>
  duration.replace(/^([\d.]+)([a-z]+)$/, "$1\u00a0$2");

/** `mm:ss`, from one hour on `h:mm:ss`. */
export function timer(seconds: number | null): string {
  if (seconds === null) return NONE;
  const minutes = Math.floor(seconds / 60);
  const tail = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return minutes < 60 ? tail : `${Math.floor(minutes / 60)}:${tail}`;
}

/** The part of a whole; null where there is no whole (no traffic). */
export const ratio = (part: number, whole: number): number | null =>
  whole > 0 ? part / whole : null;
