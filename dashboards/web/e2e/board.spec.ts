// What the board shows and how it holds still: figures by name and number, windows, filters in the
// address, the block of those who need somebody, pause, alerts, lines.
import { dialog, enter, expect, figure, REAL_URL, test, tile } from "./harness";

test.skip(REAL_URL !== undefined, "needs the mock server");

test("every figure drawn has the wire's value, under the sequence number it was drawn at", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  mock.push({ "/totals/waiting": 31, "/queues/otros/waiting": 9, "/queues/otros/ready": 2 });
  await expect(page.locator("main")).toHaveAttribute("data-seq", String(mock.seq));
  await expect(figure(page, "totals.waiting")).toHaveAttribute("data-value", "31");
  await expect(figure(page, "queues.otros.waiting")).toHaveAttribute("data-value", "9");
  mock.data.totals.waiting = 31;
  Object.assign(mock.data.queues.otros ?? {}, { waiting: 9, ready: 2 });
  const drawn = await page.locator("[data-figure]").evaluateAll((all) =>
    all.map((e) => [e.getAttribute("data-figure"), e.getAttribute("data-value")] as const),
  );
  let compared = 0;
  for (const [name, value] of drawn) {
    const [scope, ...rest] = (name ?? "").split(".");
    if (scope === "legend") continue;
    const of: object | undefined =
      scope === "totals" ? mock.data.totals : mock.data.queues[rest.shift() ?? ""];
    const wire = (of as Record<string, unknown>)[rest.join(".")];
    if (wire === undefined) continue;
    expect([name, value]).toEqual([name, wire === null ? "" : String(wire)]);
    compared += 1;
  }
  // Five a queue, and of the strip all but the two that are reckoned.
  expect(compared).toBe(5 * Object.keys(mock.data.queues).length + 5);
});

test("the window of what is counted is chosen, and stands in the address", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  const service = (window: string) => figure(page, `totals.service_level_${window}`);
  await expect(service("today")).toHaveAttribute("data-value", "0.782");
  await page.getByRole("button", { name: "15 min", exact: true }).click();
  await expect(service("15m")).toHaveAttribute("data-value", "0.741");
  await expect(page).toHaveURL(/window=15m/);
  await page.reload();
  await expect(service("15m")).toHaveText("74 %");
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await expect(figure(page, "queues.otros.service_level_1h")).toHaveAttribute("data-value", "0.79");
  // An older server has today alone: nothing to choose, and today is shown.
  for (const name of Object.keys(mock.data.totals))
    if (/_(15m|1h)$/.test(name)) Reflect.deleteProperty(mock.data.totals, name);
  await page.reload();
  await expect(service("today")).toHaveText("78 %");
  await expect(page.locator(".b-queues .seg")).toHaveCount(0);
});

test("filters stand in the address and outlive a reload", async ({ page, mock, url }) => {
  await enter(page, url);
  const tiles = page.locator("[data-agent]");
  await page.locator(".legend button", { hasText: "Pausa" }).click();
  await expect(tiles).toHaveCount(mock.data.totals.not_ready);
  await page.getByRole("searchbox").fill("a");
  await expect(page).toHaveURL(/state=not_ready.*name=a|name=a.*state=not_ready/);
  const found = await tiles.count();
  await page.reload();
  await expect(page.locator(".legend button", { hasText: "Pausa" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await expect(page.getByRole("searchbox")).toHaveValue("a");
  await expect(tiles).toHaveCount(found);
  await page.goto(`${url}/wallboard?state=lost`);
  await expect(tiles).toHaveCount(mock.data.totals.lost);
});

test("those who need somebody hold still under the focus; changes wait and are applied", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  const hot = () => page.locator("[data-hot]").evaluateAll((all) => all.map((e) => e.getAttribute("data-hot")));
  await page.locator("[data-hot]").first().focus();
  const before = await hot();
  const since = new Date(Date.now() - 4_000_000).toISOString();
  mock.push({
    "/agents/agent.001/state": "busy",
    "/agents/agent.001/since": since,
    "/agents/agent.083/state": "ready",
    "/agents/agent.083/since": new Date().toISOString(),
  });
  const pending = page.locator(".pendings");
  await expect(pending).toContainText("2 cambios en espera");
  expect(await hot()).toEqual(before);
  // The state changes in place, at once.
  await expect(page.locator('[data-hot="agent.083"]')).toHaveAttribute("data-state", "ready");
  await pending.getByRole("button", { name: "Aplicar" }).click();
  await expect(pending).toHaveCount(0);
  expect((await hot())[0]).toBe("agent.001");
  expect(await hot()).not.toContain("agent.083");
  // Outside, nothing waits.
  await page.getByRole("searchbox").focus();
  await page.mouse.move(2, 2);
  mock.push({}, ["/agents/agent.001"]);
  await expect(page.locator('[data-hot="agent.001"]')).toHaveCount(0);
});

test("an agent keeps its place in its team while its state changes", async ({ page, mock, url }) => {
  await enter(page, url);
  const places = () =>
    page.locator("[data-agent]").evaluateAll((all) => all.map((e) => e.getAttribute("data-agent")));
  const before = await places();
  mock.push({ "/agents/agent.001/state": "lost", "/agents/agent.020/state": "wrap_up" });
  await expect(page.locator('[data-agent="agent.001"]')).toHaveAttribute("data-state", "lost");
  expect(await places()).toEqual(before);
  // Signing out leaves the tile where the roster has the person.
  mock.push({}, ["/agents/agent.001"]);
  await expect(page.locator('[data-agent="agent.001"]')).toHaveAttribute("data-state", "signed_out");
  expect(await places()).toEqual(before);
});

test("a team with nobody signed in is one line, which unfolds", async ({ page, url }) => {
  await enter(page, url);
  const team = page.locator(".team", { hasText: "Tarde 2" });
  await expect(team).toContainText("12 fuera");
  await expect(team.locator(".tile")).toHaveCount(0);
  const unfold = team.getByRole("button", { name: "Mostrar Tarde 2" });
  await expect(unfold).toHaveAttribute("aria-expanded", "false");
  await unfold.click();
  await expect(team.locator(".tile")).toHaveCount(12);
  await team.getByRole("button", { name: "Plegar Tarde 2" }).click();
  await expect(team.locator(".tile")).toHaveCount(0);
});

test("pause keeps the picture and collects; resuming shows the newest", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  await page.getByRole("button", { name: "Pausar" }).click();
  const banner = page.locator(".banner-pause");
  await expect(banner).toContainText(/En pausa desde hace \d+ s\./);
  await expect(banner).toContainText("Se siguen recibiendo cambios.");
  const seq = await page.locator("main").getAttribute("data-seq");
  const timer = await page.locator(".tile-time").first().textContent();
  mock.push({ "/totals/waiting": 99 });
  const head = await banner.locator("strong").textContent();
  await expect(banner.locator("strong")).not.toHaveText(head ?? "");
  await expect(page.locator("main")).toHaveAttribute("data-seq", seq ?? "");
  await expect(figure(page, "totals.waiting")).not.toHaveText("99");
  await expect(page.locator(".tile-time").first()).toHaveText(timer ?? "");
  await banner.getByRole("button", { name: "Reanudar" }).click();
  await expect(figure(page, "totals.waiting")).toHaveText("99");
  await expect(page.locator("main")).toHaveAttribute("data-seq", String(mock.seq));
  await expect(banner).toHaveCount(0);
});

test("the rail has the server's alerts and queues past their thresholds, the worst first", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  const rail = page.locator(".rail-alerts li");
  await expect(rail).toHaveCount(4);
  await expect(rail.first()).toHaveAttribute("data-severity", "critical");
  await page.getByRole("button", { name: /Ver todas \(\d+\)/ }).click();
  const before = await rail.count();
  mock.push({ "/queues/cuantias/waiting": 12 });
  await expect(page.locator('[data-alert="cuantias/waiting"]')).toContainText("12 en espera, sobre 10");
  await expect(rail).toHaveCount(before + 1);
  await expect(tile(page, "Cuantías").locator(".chip")).toHaveText("Aviso");
  await page.locator('[data-alert="cuantias/waiting"] button').click();
  await expect(dialog(page)).toContainText("Cuantías");
  await page.keyboard.press("Escape");
  // No threshold, no level: the wire says what is one.
  mock.push({ "/queues/cuantias/thresholds": {} });
  await expect(page.locator('[data-alert="cuantias/waiting"]')).toHaveCount(0);
});

test("lines grow from the socket, after the day's quarter hours", async ({ page, mock, url }) => {
  mock.rate = 60;
  await enter(page, url);
  const line = (i: number) => page.locator(".fig").nth(i).locator(".spark-line");
  await expect(line(2)).toHaveAttribute("d", /L/);
  const first = tile(page, "Cuantías").locator(".spark-line");
  await expect(first).toHaveAttribute("d", /L/);
  const length = (await first.getAttribute("d"))?.length ?? 0;
  await expect.poll(async () => (await first.getAttribute("d"))?.length ?? 0).toBeGreaterThan(length);
  expect(mock.asked.filter((call) => call.includes("/reports/intervals"))).toHaveLength(1);
});
