// What opens over the board: definitions, the contacts behind a figure, a queue's figures, an
// agent's card and the forcing of a state.
import { dialog, enter, expect, figure, REAL_URL, test } from "./harness";
import { WALL_TOKEN } from "./mock";

test.skip(REAL_URL !== undefined, "needs the mock server");

test("each label of the strip opens its definition, in either language", async ({ page, url }) => {
  await enter(page, url);
  const labels = page.locator(".fig-label button");
  await expect(labels).toHaveCount(6);
  for (let i = 0; i < 6; i += 1) {
    const name = (await labels.nth(i).textContent())?.trim() ?? "";
    await labels.nth(i).click();
    await expect(dialog(page).getByRole("heading")).toHaveText(name);
    for (const part of ["Fórmula", "Qué cuenta", "Ventana", "Objetivo y umbrales"])
      await expect(dialog(page)).toContainText(part);
    await page.keyboard.press("Escape");
    await expect(dialog(page)).toHaveCount(0);
    await expect(labels.nth(i)).toBeFocused();
  }
  await page.goto(`${url}/wallboard?lang=en`);
  await labels.nth(2).click();
  await expect(dialog(page)).toContainText("Answered in time, over answered plus abandoned");
  await expect(dialog(page)).toContainText("In time: 20 s or less.");
});

test("a figure lists the contacts behind it, page by page, as many as it says", async ({
  page,
  mock,
  url,
  watch,
}) => {
  await enter(page, url);
  await figure(page, "totals.waiting").click();
  const rows = dialog(page).locator("tbody tr");
  await expect(rows).toHaveCount(5);
  await expect(dialog(page)).toContainText("··· ··· 101");
  await expect(dialog(page)).toContainText("Sin identificar");
  const more = dialog(page).getByRole("button", { name: "Ver más" });
  for (let shown = 10; shown < mock.data.totals.waiting; shown += 5) {
    await more.click();
    await expect(rows).toHaveCount(shown);
  }
  await more.click();
  await expect(rows).toHaveCount(mock.data.totals.waiting);
  await expect(more).toHaveCount(0);
  await dialog(page).getByRole("button", { name: /^Por qué/ }).first().click();
  await expect(dialog(page)).toContainText("Espera en el puesto 2 de 7.");
  await expect(dialog(page)).toContainText("En otro contacto: detiene a 118, quedan 42.");
  await dialog(page).getByRole("button", { name: "Volver" }).click();
  await expect(dialog(page).getByRole("heading")).toHaveText("En espera");
  await page.keyboard.press("Escape");
  expect(watch.faults).toEqual([]);
});

test("a figure of a queue lists that queue's, and the lists behind a share are told apart", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  mock.queried.length = 0;
  await figure(page, "queues.cuantias.service_level_15m").click();
  await expect(dialog(page).locator("[data-list]")).toHaveAttribute("data-list", "answered_15m");
  await dialog(page).getByRole("button", { name: "Abandonos cortos, 15 min" }).click();
  await expect(dialog(page)).toContainText("Ningún contacto.");
  expect(mock.queried).toEqual(["cuantias.answered_15m", "cuantias.short_abandoned_15m"]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Cuantías", exact: true }).click();
  const all = dialog(page);
  await expect(all.getByRole("heading")).toHaveText("Cuantías");
  await expect(all.locator('[data-all="queues.cuantias.answered_1h"]')).toHaveAttribute(
    "data-value",
    String((mock.data.queues.cuantias as unknown as Record<string, number>).answered_1h),
  );
  await all.locator('[data-all="queues.cuantias.offered_today"]').click();
  await expect(all.locator("[data-list]")).toHaveAttribute("data-list", "offered_today");
  await all.getByRole("button", { name: "Volver" }).click();
  await all.getByRole("button", { name: "Ofrecidas" }).click();
  await expect(all).toContainText("quisieron entrar en la cola");
});

test("where the server refuses the list, the reason is said", async ({ page, mock, url }) => {
  await enter(page, url);
  mock.forbidden.set("contacts", { status: 403, title: "forbidden", detail: "not yours" });
  await figure(page, "totals.waiting").click();
  await expect(dialog(page)).toContainText("Su perfil no puede ver contactos.");
  await page.keyboard.press("Escape");
  mock.forbidden.set("contacts", { status: 400, detail: "counted_in: no such figure" });
  await figure(page, "queues.cuantias.waiting").click();
  await expect(dialog(page)).toContainText("El servidor no lo admite: counted_in: no such figure");
});

test("the ready are agents: their figure filters the grid", async ({ page, mock, url }) => {
  await enter(page, url);
  await figure(page, "totals.ready").click();
  await expect(page).toHaveURL(/state=ready/);
  await expect(page.locator("[data-agent]")).toHaveCount(mock.data.totals.ready);
  await expect(page.getByRole("heading", { name: "Agentes" })).toBeFocused();
});

test("a card has the board's and the server's word; Esc gives the focus back", async ({
  page,
  mock,
  url,
}) => {
  await enter(page, url);
  mock.asked.length = 0;
  const tile = page.locator('[data-agent="agent.001"]');
  await tile.click();
  const card = dialog(page);
  await expect(card.getByRole("heading")).toHaveText(mock.data.agents["agent.001"]?.name ?? "");
  await expect(card).toContainText("castellano, gallego");
  await expect(card).toContainText("··· ··· 104");
  expect(mock.asked).toContain("GET /api/v1/agents/agent.001");
  await expect(card.getByRole("button", { name: "Escuchar" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await expect(card).toContainText("Escuchar: esta centralita no lo permite.");
  mock.push({ "/agents/agent.001/state": "wrap_up" });
  await expect(card.locator("[data-card]")).toHaveAttribute("data-state", "wrap_up");
  await page.keyboard.press("Escape");
  await expect(card).toHaveCount(0);
  await expect(tile).toBeFocused();
});

test("a supervisor forces a state and says why", async ({ page, mock, url, watch }) => {
  await enter(page, url);
  await page.locator('[data-agent="agent.001"]').click();
  const card = dialog(page);
  await card.getByRole("button", { name: "Forzar estado…" }).click();
  await expect(card.getByLabel("Por qué (queda anotado)")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(card.getByRole("alert")).toContainText("Escriba por qué.");
  expect(mock.posted).toEqual([]);
  await card.getByLabel("Motivo de la pausa").selectOption("training");
  await card.getByLabel("Por qué (queda anotado)").fill("curso de las once");
  await page.keyboard.press("Enter");
  await expect(card.getByRole("button", { name: "Forzar estado…" })).toBeVisible();
  expect(mock.posted).toEqual([
    { state: "not_ready", reason: "training", force: true, why: "curso de las once" },
  ]);
  expect(watch.faults).toEqual([]);
});

test("who may only read is told so in words", async ({ page, url }) => {
  await enter(page, url, "", WALL_TOKEN);
  await page.locator('[data-agent="agent.001"]').click();
  await dialog(page).getByRole("button", { name: "Forzar estado…" }).click();
  await dialog(page).getByLabel("Por qué (queda anotado)").fill("prueba");
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByRole("alert")).toContainText(
    "Su perfil no puede forzar estados. Puede pedirlo a coordinación.",
  );
});

test("with old data the actions are stopped, and say so", async ({ page, mock, url }) => {
  await enter(page, url);
  await page.locator('[data-agent="agent.001"]').click();
  mock.silent = true;
  const force = dialog(page).getByRole("button", { name: "Forzar estado…" });
  await expect(force).toHaveAttribute("aria-disabled", "true");
  await expect(dialog(page)).toContainText("Las acciones están detenidas.");
  await force.click({ force: true });
  await expect(dialog(page).locator("form")).toHaveCount(0);
});
