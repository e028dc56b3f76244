// Words of the application, by key. Keys are checked by the compiler; a language lacks none (the
// type says so) and has none besides (a test says so). Which language is on is not here
// (locale.svelte.ts).
import en from "./en.json";
import es from "./es.json";

export type Lang = "es" | "en";
export type Key = keyof typeof es;
export type Params = Record<string, string | number>;
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

export const DEFAULT_LANG: Lang = "es";
export const LANGS: readonly Lang[] = ["es", "en"];
export const TABLES: Record<Lang, Record<Key, Message>> = { es, en };

const rules: Record<Lang, Intl.PluralRules> = {
  es: new Intl.PluralRules("es"),
  en: new Intl.PluralRules("en"),
};

export const isLang = (x: unknown): x is Lang => LANGS.some((l) => l === x);
export const isKey = (x: string): x is Key => Object.hasOwn(es, x);

/** The words for `key`. A message with plural forms is chosen by the parameter `n`; `shown`
 *  replaces how `n` is written. Unknown parameters stay visible as `{name}`. */
export function translate(lang: Lang, key: Key, params: Params = {}): string {
  const message = TABLES[lang][key];
  const text = typeof message === "string" ? message : plural(lang, message, params.n);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = name === "n" ? (params.shown ?? params.n) : params[name];
    return value === undefined ? whole : String(value);
  });
}

function plural(lang: Lang, forms: Exclude<Message, string>, n: string | number | undefined) {
  const form = typeof n === "number" ? rules[lang].select(n) : "other";
  return forms[form] ?? forms.other ?? "";
}
