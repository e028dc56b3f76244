// The language that is on, from `?lang=` or Spanish, and `t()` in it. Changing it keeps the
// address in step, so that an address says what is seen.
import { plain } from "../lib/board";
import { DEFAULT_LANG, isKey, isLang, translate, type Key, type Lang, type Params } from "./index";

class Locale {
  lang = $state<Lang>(DEFAULT_LANG);

  read(query: URLSearchParams): void {
    const asked = query.get("lang");
    this.lang = isLang(asked) ? asked : DEFAULT_LANG;
    document.documentElement.lang = this.lang === "qps" ? "es" : this.lang;
  }

  toggle(): void {
    const url = new URL(location.href);
    url.searchParams.set("lang", this.lang === "es" ? "en" : "es");
    history.replaceState(history.state, "", url);
    this.read(url.searchParams);
  }
}

export const locale = new Locale();

export const t = (key: Key, params?: Params): string => translate(locale.lang, key, params);

/** The word for a slug of the wire, or the slug itself made readable. */
export function word(kind: string, slug: string): string {
  const key = `${kind}.${slug}`;
  return isKey(key) ? t(key) : plain(slug);
}

/** "40 s", "12 min", "2 h 05 min". */
export function spell(seconds: number): string {
  if (seconds < 120) return t("time.s", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("time.min", { n: minutes });
  return t("time.h", { n: Math.floor(minutes / 60), m: String(minutes % 60).padStart(2, "0") });
}
