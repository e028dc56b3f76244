// Everything on the page that can be pressed, on the real program with a centre in it: what opens
// says something, is accessible, breaks no policy, and closes again.
import type { Page } from "@playwright/test";
import { enter, test } from "./demo";
import { dialog, expect, expectAccessible, figure, type Watch } from "./harness";
import { PROGRAM } from "./server";

test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

/** Nothing of the page's words may be missing: their keys have dots, the words have none. */
async function expectWords(page: Page): Promise<void> {
  const text = await dialog(page).innerText();
  expect(text).not.toMatch(/\b[a-z_]+\.[a-z_]{3,}\b|undefined|NaN|\{\w+\}|\[object/);
}

async function close(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toHaveCount(0);
}

/** The list that a press opened has rows, unless it says that it has none. */
async function expectList(page: Page): Promise<number> {
  const said = dialog(page).getByRole("status");
  await expect(said).not.toContainText("Cargando");
  await expect(said.locator(".fault")).toHaveCount(0);
  await expectWords(page);
  return dialog(page).locator("tbody tr").count();
}

const clean = (watch: Watch) => expect(watch.faults).toEqual([]);

for (const theme of ["light", "dark"] as const) {
  test(`lists and reasons behind the figures of a living centre, in ${theme}`, async ({
    page,
    demo,
    watch,
  }) => {
    test.slow();
    await enter(page, demo, `?theme=${theme}`);
    let rows = 0;
    for (const at of [0, 1, 2, 3, 5]) {
      await page.locator(".fig-value button").nth(at).click();
      await expect(dialog(page)).toBeVisible();
      rows += await expectList(page);
      if (at === 2) {
        await expectAccessible(page, "dialog");
        await dialog(page).getByRole("button", { name: /^Por qué/ }).first().click();
        await expect(dialog(page).locator(".explain strong").first()).toBeVisible();
        await expectWords(page);
        await expectAccessible(page, "dialog");
      }
      await close(page);
    }
    expect(rows).toBeGreaterThan(50);
    clean(watch);
  });
}

test("definitions, a queue's figures, the centre's, each list behind them", async ({
  page,
  demo,
  watch,
}) => {
  test.slow();
  await enter(page, demo);
  for (let i = 0; i < 6; i += 1) {
    await page.locator(".fig-label button").nth(i).click();
    await expectWords(page);
    if (i === 0) await expectAccessible(page, "dialog");
    await close(page);
  }
  const openers = [".q-name button >> nth=3", ".b-queues .head .link"];
  for (const opener of openers) {
    await page.locator(opener).click();
    await expectWords(page);
    await expectAccessible(page, "dialog");
    await close(page);
  }
  const lists = page.locator(".q >> nth=3").locator("dd button");
  for (let i = 0; i < (await lists.count()) - 1; i += 1) {
    await lists.nth(i).click();
    await expect(dialog(page)).toBeVisible();
    await expectList(page);
    await close(page);
  }
  clean(watch);
});

test("an agent's card: the state is forced, and why they have their contact is told", async ({
  page,
  demo,
  watch,
}) => {
  test.slow();
  await enter(page, demo);
  await page.locator('.tile[data-agent][data-state="busy"]').first().click();
  await expect(dialog(page).locator(".peek-kv")).toBeVisible();
  await expectWords(page);
  await expectAccessible(page, "dialog");
  await dialog(page).getByRole("button", { name: /^Por qué/ }).click();
  await expect(dialog(page).locator(".explain strong, .explain .fault").first()).toBeVisible();
  await expect(dialog(page).locator(".fault")).toHaveCount(0);
  await expectWords(page);
  await close(page);
  const away = page.locator('.tile[data-agent][data-state="not_ready"]').last();
  const who = await away.getAttribute("data-agent");
  await away.click();
  await dialog(page).getByRole("button", { name: "Forzar estado…" }).click();
  await expectAccessible(page, "dialog");
  await dialog(page).getByRole("radio").nth(1).check();
  await dialog(page).locator("select").selectOption("meeting");
  await dialog(page).locator("input[type=text]").fill("prueba");
  await dialog(page).locator("button[type=submit]").click();
  await expect(dialog(page).locator("form")).toHaveCount(0);
  await expect(page.locator(`[data-agent="${who}"]`)).toHaveAttribute("data-reason", "meeting");
  await close(page);
  clean(watch);
});

test("filters, window, alerts, pause, language, theme, help, wall, the way out and in", async ({
  page,
  demo,
  watch,
}) => {
  test.slow();
  await enter(page, demo);
  const all = await page.locator("[data-agent]").count();
  await page.locator(".legend button").nth(2).click();
  await expect(page.locator('[data-agent]:not([data-state="busy"])')).toHaveCount(0);
  await expectAccessible(page, ".b-agents");
  await page.locator(".legend button").nth(2).click();
  await expect.poll(() => page.locator("[data-agent]").count()).toBeGreaterThan(all / 2);
  for (const window of ["15m", "1h", "today"]) {
    const names = { "15m": "15 min", "1h": "1 h", today: "hoy" };
    await page.getByRole("button", { name: names[window as "1h"], exact: true }).click();
    await expect(figure(page, `totals.service_level_${window}`)).toBeVisible();
  }
  await page.getByRole("button", { name: "Pausar" }).click();
  await expect(page.locator(".banner-pause")).toBeVisible();
  const held = await page.locator("main").getAttribute("data-seq");
  await expectAccessible(page, ".banner-pause");
  expect(await page.locator("main").getAttribute("data-seq")).toBe(held);
  await page.locator(".banner-pause button").click();
  await expect(page.locator("main")).not.toHaveAttribute("data-seq", held ?? "");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page.getByRole("heading", { name: "Queues" })).toBeVisible();
  await page.getByRole("button", { name: "Español" }).click();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await ground();
  await page.getByRole("button", { name: "Cambiar tema" }).click();
  await expect.poll(ground).not.toBe(before);
  await page.keyboard.press("?");
  await expectWords(page);
  await expectAccessible(page, "dialog");
  await close(page);
  await page.getByRole("link", { name: "Pantalla" }).click();
  await expect(page.locator(".k-fig").first()).toBeVisible();
  await expectAccessible(page);
  await page.goBack();
  await page.getByRole("button", { name: "Salir" }).click();
  await expect(page.locator("#token")).toBeVisible();
  await expectAccessible(page);
  await enter(page, demo);
  await expect(figure(page, "totals.waiting")).toBeVisible();
  clean(watch);
});
