// The languages: same keys, same placeholders, plural forms enough, choice of form.
import { describe, expect, it } from "vitest";
import { LANGS, TABLES, translate, type Key, type Message } from "../src/i18n";

const forms = (m: Message): string[] => (typeof m === "string" ? [m] : Object.values(m));
const holes = (m: Message): string[] =>
  [
    ...new Set(forms(m).flatMap((f) => [...f.matchAll(/\{(\w+)\}/g)].map((x) => x[1] ?? ""))),
  ].sort();
const keys = Object.keys(TABLES.es) as Key[];

describe.each(LANGS)("language %s", (lang) => {
  it("has the keys of the default language, no more and no less", () => {
    expect(Object.keys(TABLES[lang]).sort()).toEqual([...keys].sort());
  });

  it("has the same placeholders in each message, and in each form of it", () => {
    for (const key of keys) {
      const expected = holes(TABLES.es[key]);
      expect([key, holes(TABLES[lang][key])]).toEqual([key, expected]);
      for (const form of forms(TABLES[lang][key]))
        expect([key, holes(form)]).toEqual([key, expected]);
    }
  });

  it("has a form for each plural category of the language", () => {
    const categories = new Intl.PluralRules(lang).resolvedOptions().pluralCategories;
    for (const key of keys) {
      const message = TABLES[lang][key];
      if (typeof message !== "string") {
        expect([key, Object.keys(message).sort()]).toEqual([key, [...categories].sort()]);
      }
    }
  });

  it("says something everywhere", () => {
    for (const key of keys)
      for (const form of forms(TABLES[lang][key])) expect(form.trim()).not.toBe("");
  });
});

it("chooses the form by the number and writes it as asked", () => {
  expect(translate("es", "list.all", { n: 1 })).toBe("1 contacto");
  expect(translate("es", "list.all", { n: 22 })).toBe("22 contactos");
  expect(translate("es", "list.all", { n: 1e6, shown: "1 M" })).toBe("1 M contactos");
  expect(translate("en", "link.back", { n: 1 })).toBe("Connected. 1 s missed.");
});

it("leaves what it was not given visible", () => {
  expect(translate("es", "stale.as_of")).toContain("{time}");
});

it("has a language that is only longer: same holes, at least a third more letters", () => {
  for (const key of keys) {
    const message = TABLES.es[key];
    if (typeof message !== "string") continue;
    const longer = translate("qps", key);
    expect([key, holes(longer)]).toEqual([key, holes(message)]);
  }
  const text = TABLES.es["sign_in.lead"] as string;
  expect(translate("qps", "sign_in.lead").length).toBeGreaterThan(text.length * 1.33);
});
