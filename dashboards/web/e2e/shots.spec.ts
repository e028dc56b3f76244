// Pictures of the wallboard, for looking at: only with ATALAYA_SHOTS naming a folder.
import { enter, expect, test } from "./harness";

const folder = process.env.ATALAYA_SHOTS;
const sizes = { desk: [1440, 900], phone: [390, 844] } as const;

for (const theme of ["light", "dark"]) {
  for (const [size, [width, height]] of Object.entries(sizes)) {
    test(`pictures: ${size}, ${theme}`, async ({ page, mock, url }) => {
      test.skip(folder === undefined, "ATALAYA_SHOTS names no folder");
      await page.setViewportSize({ width, height });
      const shot = (name: string, fullPage = false) =>
        page.screenshot({ path: `${folder}/${name}-${size}-${theme}.png`, fullPage });
      await page.goto(`${url}/wallboard?theme=${theme}`);
      await shot("sign-in");
      await enter(page, url, `?theme=${theme}`);
      await page.evaluate(() => document.fonts.ready);
      await shot("wallboard");
      await shot("wallboard-full", true);
      mock.silent = true;
      await expect(page.locator(".banner")).toBeVisible();
      await shot("stale");
      await page.goto(`${url}/wallboard?theme=${theme}&lang=en`);
    });
  }
}
