// The wallboard in a browser, against the mock server: following deltas, silence, dying sockets,
// signing in and out, what the page asks for.
import { enter, expect, REAL_URL, test, tile } from "./harness";
import { TOKEN } from "./mock";

test.skip(REAL_URL !== undefined, "needs the mock server");

test("asks for a code, refuses a wrong one in words, opens with the right one", async ({
  page,
  mock,
  url,
}) => {
  await page.goto(`${url}/`);
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
  expect(mock.asked).toEqual([]);
  await page.getByRole("button", { name: "Entrar" }).click();
  await expect(page.getByRole("alert")).toHaveText("Escriba o pegue el código de acceso.");
  await page.getByLabel("Código de acceso").fill("otro");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("no abre ninguna sesión");
  await expect(page.getByLabel("Código de acceso")).toBeFocused();
  await page.getByLabel("Código de acceso").fill(TOKEN);
  await page.keyboard.press("Enter");
  await expect(tile(page, "Trámites de pensiones")).toBeVisible();
  await expect(page.locator(".team .tile")).not.toHaveCount(0);
  await page.reload();
  await expect(page.locator(".strip")).toBeVisible();
});

test("tiles follow deltas", async ({ page, mock, url, watch }) => {
  await enter(page, url);
  const queue = tile(page, "Cuantías");
  await expect(queue.locator(".q-big dd").first()).toHaveText("1");
  const since = new Date(Date.now() - 3_725_000).toISOString();
  mock.push({
    "/queues/cuantias/waiting": 12,
    "/queues/cuantias/longest_wait_since": since,
    "/queues/cuantias/service_level_15m": null,
    "/queues/certificados/state": "open",
    "/totals/waiting": 30,
    "/agents/agent.001/state": "not_ready",
    "/agents/agent.001/reason": "training",
  });
  await expect(queue.locator(".q-big dd").first()).toHaveText("12");
  await expect(queue.locator(".q-big dd").last()).toHaveText(/^1:02:\d\d$/);
  await expect(queue.locator(".q-foot dd").first()).toHaveText("—");
  await expect(queue.locator(".chip")).toHaveText("Crítico");
  await expect(tile(page, "Certificados").locator(".chip")).toHaveCount(0);
  await expect(page.locator(".fig-value").first()).toHaveText("30");
  const name = mock.data.agents["agent.001"]?.name ?? "";
  const agent = page.locator(".tile", { hasText: name }).filter({ hasText: "Formación" });
  await expect(agent).toHaveCount(1);
  mock.push({}, ["/agents/agent.001"]);
  await expect(agent).toHaveCount(0);
  const timer = page.locator(".tile-time").first();
  const before = await timer.textContent();
  await expect(timer).not.toHaveText(before ?? "");
  expect(watch.faults).toEqual([]);
});

test("silence makes it stale: says so, large, with frozen timers; data end it", async ({
  page,
  mock,
  url,
  watch,
}) => {
  await enter(page, url);
  mock.silent = true;
  const banner = page.locator(".banner");
  await expect(banner).toContainText(/Sin datos desde hace [5-9] s/);
  await expect(banner).toContainText(/Lo que se ve es de las \d\d:\d\d:\d\d\./);
  await expect(page.locator(".conn")).toHaveText("Sin datos");
  await expect(page.locator("main")).toHaveCSS("filter", "grayscale(1)");
  await expect(page.locator(".q").first()).toHaveCSS("border-top-style", "dashed");
  const timer = page.locator(".tile-time").first();
  const frozen = await timer.textContent();
  const head = await banner.locator("strong").textContent();
  await expect(banner.locator("strong")).not.toHaveText(head ?? "");
  await expect(timer).toHaveText(frozen ?? "");
  mock.silent = false;
  await expect(banner).toHaveCount(0);
  await expect(page.locator(".conn")).toContainText(/Conectado\. Faltaron \d+ s\./);
  expect(watch.faults).toEqual([]);
});

test("a cut socket comes back by itself and resumes", async ({ page, mock, url }) => {
  await enter(page, url);
  mock.heard.length = 0;
  mock.cut();
  mock.data.totals.waiting = 77;
  mock.seq += 5;
  await expect(page.locator(".fig-value").first()).toHaveText("77");
  await expect(page.locator(".conn")).toHaveText("En directo");
  expect(mock.heard[0]).toMatchObject({ type: "subscribe", resume: { epoch: mock.epoch } });
  mock.goDown();
  await expect.poll(() => mock.heard.length).toBeGreaterThan(1);
  await expect(page.locator(".conn")).toHaveText("En directo");
});

test("a server that stays away: stale, tries again, comes back", async ({ page, mock, url }) => {
  await enter(page, url);
  mock.asked.length = 0;
  mock.refusing = true;
  mock.cut();
  await expect(page.locator(".conn")).toHaveText("Reconectando");
  await expect(page.locator(".banner")).toContainText("Sin datos desde hace");
  await expect(page.locator(".banner")).toContainText(/Nuevo intento en \d+ s|Conectando de nuevo/);
  expect(mock.asked).toEqual([]);
  mock.refusing = false;
  await page.getByRole("button", { name: "Reintentar ahora" }).click();
  await expect(page.locator(".banner")).toHaveCount(0);
  await expect(page.locator(".conn")).toContainText("Conectado.");
});

test("a session that ended leads to signing in, after one question", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  mock.sessions.clear();
  mock.asked.length = 0;
  await page.reload();
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
  expect(mock.asked).toEqual(["GET /api/v1/wallboard"]);
});

test("a delta that does not follow is made good", async ({ page, mock, url }) => {
  await enter(page, url);
  mock.data.totals.waiting = 55;
  mock.seq += 3;
  await expect(page.locator(".fig-value").first()).toHaveText("55");
  expect(mock.heard.at(-1)).toMatchObject({ type: "subscribe", resume: { epoch: mock.epoch } });
});

test("a refusal is shown in the server's words", async ({ page, mock, url }) => {
  await enter(page, url);
  mock.refusal = { status: 403, title: "Forbidden", detail: "topic is not for agents" };
  await page.reload();
  await expect(page.getByRole("alert").last()).toContainText("topic is not for agents");
  await page.getByRole("button", { name: "Salir" }).click();
  await expect(page.getByRole("heading", { name: "Entrar" })).toBeVisible();
});
