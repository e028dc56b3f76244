// The wallboard on a television: sizes, pages, no people, a read-only token, a new build.
import { enter, expect, REAL_URL, test } from "./harness";
import { WALL_TOKEN } from "./mock";

test.skip(REAL_URL !== undefined, "needs the mock server");

test.beforeEach(async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
});

test("large enough to be read across a room, and nothing scrolls", async ({ page, url, watch }) => {
  await enter(page, url, "?kiosk", WALL_TOKEN);
  const least = { ".k-fig h2": 3, ".k-goal": 3, ".k-live": 3, ".k-foot span": 3, ".k-hero": 8 };
  const tables = { ".k-table tbody th": 3, ".k-table thead th": 3, ".k-table td": 8 };
  const people = { ".k-three h2": 3, ".k-three li": 3, ".k-three b": 8 };
  for (const [i, sizes] of [least, tables, people].entries()) {
    await expect(page.locator("main")).toHaveAttribute("data-page", String(i));
    for (const [what, share] of Object.entries(sizes)) {
      const px = await page.locator(what).first().evaluate((e) => parseFloat(getComputedStyle(e).fontSize));
      expect([what, px / 1080 >= share / 100]).toEqual([what, true]);
    }
    await expect(page.locator(".k-bar time")).toHaveText(/^\d\d:\d\d:\d\d$/);
    await expect(page.locator(".k-live")).toContainText(/dato de hace \d+ s/);
    const over = await page.evaluate(() => {
      const main = document.querySelector("main");
      const root = document.documentElement;
      const room = main?.getBoundingClientRect().bottom ?? 0;
      const content = main?.firstElementChild?.getBoundingClientRect().bottom ?? Infinity;
      const sideways = root.scrollWidth - root.clientWidth;
      return [root.scrollHeight - root.clientHeight, sideways, content - room];
    });
    expect(over.every((n) => n <= 1), `page ${i}: ${over.join(", ")}`).toBe(true);
    await page.keyboard.press("ArrowRight");
  }
  expect(watch.faults).toEqual([]);
});

test("names nobody, and asks for no list of people", async ({ page, mock, url }) => {
  await enter(page, url, "?kiosk", WALL_TOKEN);
  const names = Object.values(mock.data.agents).map((a) => a.name);
  for (let i = 0; i < 3; i += 1) {
    const text = (await page.locator("body").textContent()) ?? "";
    expect(names.filter((name) => text.includes(name))).toEqual([]);
    await page.keyboard.press("ArrowRight");
  }
  expect(mock.asked.filter((call) => call.includes("/agents"))).toEqual([]);
});

test("its pages follow each other by themselves", async ({ page, url }) => {
  await enter(page, url, "?kiosk&every=20");
  await expect(page.locator("main")).toHaveAttribute("data-page", "0");
  await expect(page.locator("main")).toHaveAttribute("data-page", "1", { timeout: 40_000 });
});

test("under reduced motion they do not; arrows turn them", async ({ page, url }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.clock.install();
  await enter(page, url, "?kiosk&every=20");
  await page.clock.fastForward(65_000);
  await expect(page.locator(".k-banner")).toBeVisible();
  await expect(page.locator("main")).toHaveAttribute("data-page", "0");
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("main")).toHaveAttribute("data-page", "2");
});

test("old data are said, large; a new build is taken after the break", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url, "?kiosk", WALL_TOKEN);
  mock.silent = true;
  await expect(page.locator(".k-banner")).toContainText(/Sin datos desde hace [5-9] s/);
  await expect(page.locator("main")).toHaveCSS("filter", "grayscale(1)");
  mock.silent = false;
  await expect(page.locator(".k-banner")).toHaveCount(0);
  // The same build: it goes on, without a reload.
  await page.evaluate(() => document.body.setAttribute("data-mark", "1"));
  mock.cut();
  await expect.poll(() => mock.heard.length).toBeGreaterThan(1);
  await expect(page.locator("body[data-mark]")).toHaveCount(1);
  mock.build = '<link rel="stylesheet" href="/assets/another.css">';
  mock.cut();
  await expect(page.locator("body[data-mark]")).toHaveCount(0);
  await expect(page.locator("main[data-seq]")).toBeVisible();
});
