// The page of the real program with a centre in it, for who uses no pointer or does not see it:
// every stop of the Tab key, filters, search, dialogs, the grid's arrows; and what axe says of each
// state that can be reached so.
import type { Page } from "@playwright/test";
import { enter, test } from "./demo";
import { drawn } from "./drawn";
import { expect, expectAccessible } from "./harness";
import { PROGRAM } from "./server";

/** Presses of Tab within which the whole page has been passed. */
const TABS_MAX = 400;

test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

/** The element that has the focus: what it is, whether it can be seen, and where it stands. */
async function focused(page: Page) {
  return page.evaluate(() => {
    const e = document.activeElement;
    if (e === null || e === document.body) return null;
    const box = e.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 12)];
    const on = document.elementFromPoint(x, y);
    const outlined = (at: Element | null): boolean =>
      at !== null && (getComputedStyle(at).outlineStyle !== "none" || outlined(at.parentElement));
    const name = e.getAttribute("aria-label") ?? (e as HTMLElement).innerText;
    return {
      told: `${e.localName} ${name.replace(/\s+/g, " ").trim().slice(0, 40)}`,
      named: name.trim() !== "" || e.id === "main",
      // Never under the sticky header, nor out of sight.
      seen: on !== null && (e.contains(on) || on.contains(e)),
      // A tile may carry the mark of what is in it.
      marked: outlined(e),
    };
  });
}

/** Tab until what is in focus reads so. */
async function to(page: Page, what: RegExp): Promise<void> {
  for (let i = 0; i < TABS_MAX; i += 1) {
    await page.keyboard.press("Tab");
    if (what.test((await focused(page))?.told ?? "")) return;
  }
  throw new Error(`no stop is ${what}`);
}

test("by keyboard: every stop is named, seen and marked; a filter, a search, the way out", async ({
  page,
  demo,
  watch,
}) => {
  test.setTimeout(120_000);
  await enter(page, demo);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const stops: string[] = [];
  for (let i = 0; i < TABS_MAX; i += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at === null) break;
    expect(at, at.told).toMatchObject({ named: true, seen: true, marked: true });
    stops.push(at.told);
  }
  console.log(`${stops.length} stops: ${stops.join(" | ").slice(0, 1200)}`);
  expect(stops.length).toBeLessThan(TABS_MAX);
  const tiles = page.locator("[data-agent]");
  await to(page, /^button En contacto/);
  await page.keyboard.press("Space");
  await expect(page.locator(".legend [aria-pressed=true]")).toHaveCount(1);
  await expect(page.locator('[data-agent]:not([data-state="busy"])')).toHaveCount(0);
  await page.keyboard.press("Space");
  await expect(page.locator(".legend [aria-pressed=true]")).toHaveCount(0);
  await page.keyboard.press("/");
  await expect(page.locator("input[type=search]")).toBeFocused();
  await page.keyboard.insertText("nadie se llama así");
  await expect(tiles).toHaveCount(0);
  await to(page, /^button Quitar filtro/);
  await page.keyboard.press("Enter");
  await expect(tiles).not.toHaveCount(0);
  await to(page, /^button Salir/);
  await page.keyboard.press("Enter");
  await expect(page.locator("#token")).toBeVisible();
  expect(watch.faults).toEqual([]);
});

test("by keyboard: dialogs keep the focus and give it back, arrows walk the grid, p pauses", async ({
  page,
  demo,
  watch,
}) => {
  test.setTimeout(120_000);
  await enter(page, demo);
  const dialog = page.locator("dialog[open]");
  const visit = async (open: string, title: RegExp) => {
    const from = await page.evaluateHandle(() => document.activeElement);
    await page.keyboard.press(open);
    await expect(dialog).toHaveAccessibleName(title);
    await expectAccessible(page, "dialog[open]");
    for (let i = 0; i < 30; i += 1) {
      await page.keyboard.press(i % 3 === 2 ? "Shift+Tab" : "Tab");
      const inside = await dialog.evaluate((e) => e.contains(document.activeElement));
      expect(inside, `after ${i + 1} tabs in ${String(title)}`).toBe(true);
    }
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
    expect(await from.evaluate((e) => e === document.activeElement), String(title)).toBe(true);
  };
  await to(page, /^button En espera/);
  await visit("Enter", /En espera/);
  await to(page, /^button Certificados/);
  await visit("Enter", /Certificados/);
  await visit("?", /./);
  const grid = page.locator(".team .tile:focus");
  for (let i = 0; i < TABS_MAX && (await grid.count()) === 0; i += 1) {
    await page.keyboard.press("Tab");
  }
  const first = await grid.getAttribute("data-tile");
  await page.keyboard.press("ArrowRight");
  await expect(grid).not.toHaveAttribute("data-tile", first ?? "");
  await page.keyboard.press("ArrowLeft");
  await expect(grid).toHaveAttribute("data-tile", first ?? "");
  await visit("Enter", /./);
  await page.keyboard.press("p");
  await expect(page.locator(".banner-pause")).toBeVisible();
  await expectAccessible(page);
  const { seq } = await drawn(page);
  await page.waitForTimeout(2_000);
  expect((await drawn(page)).seq).toBe(seq);
  await page.keyboard.press("p");
  await expect.poll(async () => (await drawn(page)).seq).toBeGreaterThan(seq);
  expect(watch.faults).toEqual([]);
});

for (const theme of ["light", "dark"]) {
  test(`accessible in ${theme} with a centre in it: form, board, filtered`, async ({
    page,
    demo,
    watch,
  }) => {
    // Two hundred tiles are looked at one by one.
    test.setTimeout(180_000);
    await page.goto(`${demo.server.url}/wallboard?theme=${theme}`);
    await expect(page.locator("#token")).toBeVisible();
    await expectAccessible(page);
    await enter(page, demo, `?theme=${theme}`);
    await expectAccessible(page);
    await page.locator(".legend button").first().click();
    await expectAccessible(page);
    expect(watch.faults).toEqual([]);
  });
}
