// Words of the application, by key. Keys are checked by the compiler; a language lacks none (the
// type says so) and has none besides (a test says so). Which language is on is not here
// (locale.svelte.ts).
import en from "./en.json";
import es from "./es.json";

/** `qps` is no language: Spanish, made 40 % longer, to see whether anything overflows. */
export type Lang = "es" | "en" | "qps";
export type Key = keyof typeof es;
export type Params = Record<string, string | number>;
export type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

export const DEFAULT_LANG = "es" satisfies Lang;
export const LANGS = ["es", "en"] as const;
export const TABLES: Record<"es" | "en", Record<Key, Message>> = { es, en };

const rules: Record<Lang, Intl.PluralRules> = {
  es: new Intl.PluralRules("es"),
  en: new Intl.PluralRules("en"),
  qps: new Intl.PluralRules("es"),
};

export const isLang = (x: unknown): x is Lang => x === "qps" || LANGS.some((l) => l === x);
export const isKey = (x: string): x is Key => Object.hasOwn(es, x);

/** The words for `key`. A message with plural forms is chosen by the parameter `n`; `shown`
 *  replaces how `n` is written. Unknown parameters stay visible as `{name}`. */
export function translate(lang: Lang, key: Key, params: Params = {}): string {
  const message = TABLES[lang === "qps" ? "es" : lang][key];
  const plain = typeof message === "string" ? message : plural(lang, message, params.n);
  const text = lang === "qps" ? longer(plain) : plain;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = name === "n" ? (params.shown ?? params.n) : params[name];
    return value === undefined ? whole : String(value);
  });
}

function plural(lang: Lang, forms: Exclude<Message, string>, n: string | number | undefined) {
  const form = typeof n === "number" ? rules[lang].select(n) : "other";
  return forms[form] ?? forms.other ?? "";
}

/** Words longer by 40 %, with holes as they were: each vowel of enough of them is doubled. */
function longer(text: string): string {
  let owed = 0;
  return text.replace(/\{\w+\}|[^{]/g, (piece) => {
    if (piece.length > 1) return piece;
    owed += 0.4;
    if (owed < 1 || !/[aeiouáéíóú]/i.test(piece)) return piece;
    const extra = Math.floor(owed);
    owed -= extra;
    return piece + piece.toLowerCase().repeat(extra);
  });
}
