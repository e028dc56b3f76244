// Pictures of the wallboard, for looking at: only with ATALAYA_SHOTS naming a folder. With ATALAYA_URL
// they are of a real server's centre.
import { enter, expect, REAL_URL, test } from "./harness";

const folder = process.env.ATALAYA_SHOTS;
const sizes = { desk: [1440, 900], phone: [390, 844], zoom200: [720, 450] } as const;

test.skip(folder === undefined, "ATALAYA_SHOTS names no folder");

for (const theme of ["light", "dark"]) {
  for (const [size, [width, height]] of Object.entries(sizes)) {
    test(`pictures: ${size}, ${theme}`, async ({ page, mock, url }) => {
      await page.setViewportSize({ width, height });
      const shot = (name: string, fullPage = false) =>
        page.screenshot({ path: `${folder}/${name}-${size}-${theme}.png`, fullPage });
      await page.goto(`${url}/wallboard?theme=${theme}`);
      await shot("sign-in");
      await enter(page, url, `?theme=${theme}`);
      await page.evaluate(() => document.fonts.ready);
      // Lines need a while to have something to show.
      await page.waitForFunction(() => document.querySelectorAll(".spark-line").length > 6);
      await shot("wallboard");
      await shot("wallboard-full", true);
      await page.locator(".tiles-hot .tile, .tile").first().click();
      await expect(page.locator(".dialog .peek-kv")).toBeVisible();
      await shot("card");
      await page.getByRole("button", { name: "Forzar estado…" }).click();
      await shot("force");
      await page.keyboard.press("Escape");
      await page.locator(".fig-label button").nth(2).click();
      await shot("definition");
      await page.getByRole("button", { name: "Ver los contactos" }).click();
      await expect(page.locator(".dialog tbody tr, .dialog .fault").first()).toBeVisible();
      await shot("contacts");
      if (REAL_URL === undefined) {
        await page.locator(".dialog tbody button").first().click();
        await expect(page.locator(".explain strong").first()).toBeVisible();
        await shot("explain");
      }
      await page.keyboard.press("Escape");
      await page.locator(".q-name button").first().click();
      await shot("queue");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await shot("help");
      await page.keyboard.press("Escape");
      await page.keyboard.press("p");
      await shot("paused");
      await page.keyboard.press("p");
      if (REAL_URL !== undefined) return;
      mock.silent = true;
      await expect(page.locator(".banner")).toBeVisible();
      await shot("stale");
    });
  }

  test(`pictures: kiosk, ${theme}`, async ({ page, mock, url }) => {
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.goto(`${url}/wallboard`);
    await enter(page, url);
    for (const [i, name] of ["centre", "queues", "people"].entries()) {
      await page.goto(`${url}/wallboard?kiosk&theme=${theme}&page=${i + 1}`);
      await expect(page.locator("main[data-seq]")).toBeVisible();
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: `${folder}/kiosk-${name}-${theme}.png` });
    }
    if (REAL_URL !== undefined) return;
    mock.silent = true;
    await expect(page.locator(".k-banner")).toBeVisible();
    await page.screenshot({ path: `${folder}/kiosk-stale-${theme}.png` });
  });
}
