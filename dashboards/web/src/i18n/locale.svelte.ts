// The language that is on, from `?lang=` or Spanish, and `t()` in it. Changing it keeps the
// address in step, so that an address says what is seen.
import { DEFAULT_LANG, isLang, translate, type Key, type Lang, type Params } from "./index";

class Locale {
  lang = $state<Lang>(DEFAULT_LANG);

  read(query: URLSearchParams): void {
    const asked = query.get("lang");
    this.lang = isLang(asked) ? asked : DEFAULT_LANG;
    document.documentElement.lang = this.lang;
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
