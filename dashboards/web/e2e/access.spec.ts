// Accessibility of each state of the page in both themes, zoom, forced colours, longer words; the
// policy is listened to all along.
import { dialog, enter, expect, expectAccessible, expectNoSideways, REAL_URL, test } from "./harness";

test.skip(REAL_URL !== undefined, "needs the mock server");

for (const theme of ["light", "dark"]) {
  test(`each state is accessible in ${theme}, and breaks no policy`, async ({
    page,
    mock,
    url,
    watch,
  }) => {
    test.slow();
    mock.shrink();
    await enter(page, url, `?theme=${theme}`);
    const over = async (): Promise<void> => {
      await expectAccessible(page, "dialog");
      await page.keyboard.press("Escape");
      await expect(dialog(page)).toHaveCount(0);
    };
    await page.locator(".fig-label button").first().click();
    await over();
    await page.locator(".q-name button").first().click();
    await over();
    await page.locator(".fig-value button").first().click();
    await expect(dialog(page).locator("tbody tr").first()).toBeVisible();
    await expectAccessible(page, "dialog");
    await dialog(page).getByRole("button", { name: /^Por qué/ }).first().click();
    await expect(dialog(page)).toContainText("Espera en el puesto");
    await over();
    await page.locator(".tile").first().click();
    await expect(dialog(page)).toContainText("gallego");
    await expectAccessible(page, "dialog");
    await dialog(page).getByRole("button", { name: "Forzar estado…" }).click();
    await over();
    await page.keyboard.press("?");
    await over();
    await page.keyboard.press("p");
    await expect(page.locator(".banner-pause")).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("p");
    mock.silent = true;
    await expect(page.locator(".banner")).toBeVisible();
    await expectAccessible(page);
    mock.silent = false;
    await expect(page.locator(".banner")).toHaveCount(0);
    mock.data = { ...mock.data, queues: {}, agents: {}, alerts: [], requests: null };
    mock.seq += 1;
    await page.reload();
    await expect(page.locator(".b-queues .empty")).toHaveText("No hay colas.");
    await expectAccessible(page);
    expect(watch.faults).toEqual([]);
  });

  test(`a wall is accessible in ${theme}`, async ({ page, mock, url, watch }) => {
    await page.setViewportSize({ width: 1920, height: 1080 });
    await enter(page, url, `?kiosk&theme=${theme}`);
    for (const next of ["1", "2"]) {
      await expectAccessible(page);
      await page.keyboard.press("ArrowRight");
      await expect(page.locator("main")).toHaveAttribute("data-page", next);
    }
    await expectAccessible(page);
    mock.silent = true;
    await expect(page.locator(".k-banner")).toBeVisible();
    await expectAccessible(page);
    expect(watch.faults).toEqual([]);
  });
}

test("accessible under forced colours, more contrast and reduced motion", async ({
  page,
  mock,
  url,
}) => {
  mock.shrink();
  await page.emulateMedia({ forcedColors: "active", contrast: "more", reducedMotion: "reduce" });
  await enter(page, url);
  await expectAccessible(page);
  const moves = await page.locator(".tile .i").first().evaluate((e) => getComputedStyle(e).transitionDuration);
  expect(moves).toBe("0s");
});

// 1440 × 900 at 200 % and at 400 %; a telephone; the narrowest.
const SIZES = [
  [720, 450],
  [360, 225],
  [390, 844],
  [320, 640],
] as const;

for (const lang of ["es", "en", "qps"]) {
  test(`no sideways scroll at any zoom, nothing cut off: ${lang}`, async ({ page, url }) => {
    await enter(page, url, `?lang=${lang}`);
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await expectNoSideways(page, width);
      await page.locator(".fig-label button").nth(2).click();
      const box = await dialog(page).boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
      await page.keyboard.press("Escape");
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await expectNoSideways(page, 1440);
    // Buttons say all they say; names of people and queues may end in dots.
    const cut = await page.locator(".btn, .legend button, .seg button, .chip").evaluateAll((all) =>
      all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent?.trim()),
    );
    expect(cut).toEqual([]);
  });
}
