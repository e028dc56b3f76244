// What holds of the page on any server: signing in and out, policy, quiet, accessibility,
// languages, narrow screens. Also run against a real server (ATALAYA_URL, ATALAYA_TOKEN).
import { enter, expect, expectAccessible, expectNoSideways, REAL_URL, test } from "./harness";

test("while nobody clicks there is no request but the socket", async ({ page, url, watch }) => {
  await enter(page, url);
  const before = watch.requests.length;
  // Three ticks of the page's own clock: time in which a poll would show.
  for (let i = 0; i < 3; i += 1) {
    const text = (await page.locator(".now").textContent()) ?? "";
    await expect(page.locator(".now")).not.toHaveText(text);
  }
  expect(watch.requests.slice(before)).toEqual([]);
  expect(watch.sockets).toBe(1);
  expect(watch.faults).toEqual([]);
});

test("signing out ends the session and shows the form", async ({ page, url, watch }) => {
  await enter(page, url);
  await page.getByRole("button", { name: "Salir" }).click();
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
  expect(watch.faults).toEqual([]);
});

for (const theme of ["light", "dark"]) {
  test(`accessible in ${theme}: form, board, narrow board`, async ({ page, mock, url, watch }) => {
    mock.shrink();
    await page.goto(`${url}/wallboard?theme=${theme}`);
    await expectAccessible(page);
    await enter(page, url, `?theme=${theme}`);
    await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
    await expectAccessible(page);
    await page.setViewportSize({ width: 320, height: 700 });
    await expectAccessible(page);
    await expectNoSideways(page, 320);
    expect(watch.faults).toEqual([]);
  });
}

test("speaks Spanish, and English when the address or a press says so", async ({ page, url }) => {
  await enter(page, url);
  await expect(page.locator("html")).toHaveAttribute("lang", "es");
  await expect(page).toHaveTitle("Tablero · Atalaya");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { name: "Queues" })).toBeVisible();
  await expect(page).toHaveURL(/lang=en/);
  await page.goto(`${url}/wallboard?lang=en&theme=dark`);
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page).toHaveTitle("Wallboard · Atalaya");
});

test("the legend and the search narrow the grid", async ({ page, mock, url }) => {
  test.skip(REAL_URL !== undefined, "needs the mock server's people");
  await enter(page, url);
  const teams = page.locator(".team:not(:has(#t-hot)) .tile");
  await expect(teams).toHaveCount(Object.keys(mock.data.agents).length);
  await page.locator(".legend button", { hasText: "Libre" }).click();
  await expect(teams).toHaveCount(mock.data.totals.ready);
  await page.locator(".legend button", { hasText: "Libre" }).click();
  await page.getByRole("searchbox").fill("nadie se llama así");
  await expect(page.locator(".empty")).toContainText("Ningún agente coincide con «nadie se llama así».");
  await page.getByRole("button", { name: "Quitar filtro" }).click();
  await expect(teams).toHaveCount(Object.keys(mock.data.agents).length);
});
