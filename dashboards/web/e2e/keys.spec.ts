// The whole page by keyboard: no pointer is used here.
import { dialog, enter, expect, REAL_URL, test } from "./harness";
import type { Page } from "@playwright/test";

test.skip(REAL_URL !== undefined, "needs the mock server");

const focused = (page: Page) =>
  page.evaluate(() => {
    const e = document.activeElement;
    return e === null || e === document.body ? "" : `${e.className} ${e.id} ${e.getAttribute("aria-label") ?? ""} ${e.textContent?.trim() ?? ""}`;
  });

/** Tabs until what has the focus matches; gives back how many stops that took. */
async function tabTo(page: Page, what: RegExp, most = 80): Promise<number> {
  for (let n = 1; n <= most; n += 1) {
    await page.keyboard.press("Tab");
    if (what.test(await focused(page))) return n;
  }
  throw new Error(`no stop matches ${what}`);
}

test("by keyboard alone: skip, definition, list, filter, grid, card, pause, help, out", async ({
  page,
  url,
  watch,
}) => {
  await page.goto(`${url}/wallboard`);
  await tabTo(page, /token/);
  await page.keyboard.type("un-codigo-de-prueba");
  await page.keyboard.press("Enter");
  await expect(page.locator(".strip")).toBeVisible();

  await tabTo(page, /skip/);
  await page.keyboard.press("Enter");
  expect(await tabTo(page, /En espera/)).toBe(1);
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toContainText("Fórmula");
  // The focus stays inside, both ways round.
  for (const key of ["Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"]) {
    await page.keyboard.press(key);
    expect(await page.evaluate(() => document.activeElement?.closest("dialog") !== null)).toBe(true);
  }
  await page.keyboard.press("Escape");
  expect(await focused(page)).toContain("En espera");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(dialog(page).locator("tbody tr").first()).toBeVisible();
  await page.keyboard.press("Escape");

  await tabTo(page, /Trámites de pensiones/);
  await tabTo(page, /Variaciones/);
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByRole("heading")).toHaveText("Variaciones");
  await page.keyboard.press("Escape");

  await tabTo(page, /Libre/);
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/state=ready/);
  await page.keyboard.press("Space");
  await expect(page).not.toHaveURL(/state=/);

  await page.keyboard.press("/");
  expect(await focused(page)).toContain("find-agent");
  await page.keyboard.type("a/?");
  await expect(page.getByRole("searchbox")).toHaveValue("a/?");
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox").fill("");

  // One stop for the whole grid, arrows within it.
  await page.keyboard.press("Tab");
  expect(await focused(page)).toMatch(/^tile/);
  const first = await page.evaluate(() => document.activeElement?.getAttribute("data-tile"));
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  const there = await page.evaluate(() => document.activeElement?.getAttribute("data-tile"));
  expect(there).not.toBe(first);
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toContainText("Forzar estado…");
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("data-tile"))).toBe(there);
  expect(await page.locator('.tile[tabindex="0"]').count()).toBe(1);
  await page.keyboard.press("Tab");
  expect(await focused(page)).not.toMatch(/^tile/);

  await page.keyboard.press("p");
  await expect(page.locator(".banner-pause")).toBeVisible();
  await page.keyboard.press("p");
  await page.keyboard.press("?");
  await expect(dialog(page).getByRole("heading")).toHaveText("Teclado y ayuda");
  await tabTo(page, /^ {2}/, 4);
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  // Letters are off now, and stay so.
  await page.keyboard.press("?");
  await page.keyboard.press("p");
  await expect(dialog(page)).toHaveCount(0);
  await expect(page.locator(".banner-pause")).toHaveCount(0);
  await page.reload();
  await expect(page.locator(".strip")).toBeVisible();
  await page.keyboard.press("?");
  await expect(dialog(page)).toHaveCount(0);
  await tabTo(page, /Salir/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
  expect(watch.faults).toEqual([]);
});

test("the focus is never under the bar, and is always seen", async ({ page, url }) => {
  await enter(page, url);
  for (let i = 0; i < 45; i += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const e = document.activeElement;
      const bar = document.querySelector(".bar");
      if (e === null || e === document.body || bar?.contains(e)) return null;
      const box = e.getBoundingClientRect();
      const style = getComputedStyle(e);
      const ring = e.closest(".q") ?? e;
      const outlined = style.outlineStyle !== "none" || getComputedStyle(ring).outlineStyle !== "none";
      const covered = box.top < (bar?.getBoundingClientRect().bottom ?? 0) - 1;
      return { outlined, covered, skip: e.classList.contains("skip"), text: e.textContent?.trim() };
    });
    if (seen === null || seen.skip) continue;
    expect(seen).toMatchObject({ outlined: true, covered: false });
  }
});

test("a tile is called by name, state and threshold, not by a number that ticks", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  const name = mock.data.agents["agent.029"]?.name ?? "";
  await expect(page.locator('[data-agent="agent.029"]')).toHaveAccessibleName(
    new RegExp(`^${name} ?, ?(Llamada|Chat) ?, ?Crítico$`),
  );
  const polite = page.locator("[data-told]");
  await expect(polite).toHaveText("");
  mock.push({ "/queues/cuantias/waiting": 12 });
  await expect(polite).toHaveText(/\d+ alertas/);
});
