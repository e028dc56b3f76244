// The page against the real program: a call through its states, silence, a kill and a restart.
import { expect, test as base, type Page } from "@playwright/test";
import { tile } from "./harness";
import { PROGRAM, Server } from "./server";

const test = base.extend<{ server: Server }>({
  server: async ({}, use) => {
    const server = await Server.open();
    await server.ask("PUT", "/queues/pensions", {
      name: "Pensiones",
      requires: {},
      service_level: { share: 0.8, within: "20s" },
    });
    await server.ask("PUT", "/agents/ana", {
      name: "Ana García",
      team: "morning-1",
      level: 1,
      skills: {},
      languages: ["es"],
      capacity: { voice: 1 },
    });
    await use(server);
    await server.close();
  },
});

test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

async function enter(page: Page, server: Server): Promise<void> {
  await page.goto(`${server.url}/wallboard`);
  await page.locator("#token").fill(server.token);
  await page.locator("form button[type=submit]").click();
  await expect(page.locator(".strip")).toBeVisible();
}

const waiting = (page: Page) => tile(page, "Pensiones").locator(".q-big dd").first();

test("a call goes through its states on the page, which asks for nothing", async ({
  page,
  server,
}) => {
  const faults: string[] = [];
  page.on("pageerror", (e) => faults.push(e.message));
  page.on("console", (m) => {
    if (m.type() === "error") faults.push(m.text());
  });
  await enter(page, server);
  const asked: string[] = [];
  page.on("request", (r) => asked.push(r.url()));
  const act = async (path: string, body: unknown = {}) => {
    const answer = await fetch(`${server.url}/api/v1${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${server.token}`,
        "atalaya-agent": "ana",
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    expect(answer.ok, `${path}: ${await answer.clone().text()}`).toBe(true);
  };
  const ana = page.locator(".team .tile", { hasText: "Ana García" });
  await expect(waiting(page)).toHaveText("0");
  const contact = await server.call("pensions");
  await expect(waiting(page)).toHaveText("1");
  await act("/agents/ana/presence", { state: "ready" });
  await expect(ana).toHaveAttribute("data-state", "offered");
  const offered = await server.ask("GET", `/contacts/${contact}`);
  const offer = (offered["offer"] as { id: string }).id;
  await act(`/agents/ana/offers/${offer}/accept`);
  await expect(ana).toHaveAttribute("data-state", "busy");
  await expect(waiting(page)).toHaveText("0");
  await act(`/contacts/${contact}/complete`);
  await expect(ana).toHaveAttribute("data-state", "wrap_up");
  await act(`/contacts/${contact}/wrap_up`);
  await expect(ana).toHaveAttribute("data-state", "ready");
  expect(asked).toEqual([]);
  expect(faults).toEqual([]);
});

test("s85: silence is said and greys the page; after it the counts equal the server's", async ({
  page,
  server,
}) => {
  await enter(page, server);
  await server.call("pensions");
  await expect(waiting(page)).toHaveText("1");
  server.signal("SIGSTOP");
  await expect(page.locator(".banner")).toContainText(/Sin datos desde hace [5-9] s/);
  await expect(page.locator("main")).toHaveCSS("filter", "grayscale(1)");
  server.signal("SIGCONT");
  await expect(page.locator(".banner")).toHaveCount(0);
  await server.call("pensions");
  await expect(waiting(page)).toHaveText("2");
});

test("a kill is said; after the restart the page goes on by itself", async ({ page, server }) => {
  await enter(page, server);
  await server.call("pensions");
  await expect(waiting(page)).toHaveText("1");
  await server.kill();
  await expect(page.locator(".banner")).toBeVisible();
  await server.start();
  await server.call("pensions");
  await expect(waiting(page)).toHaveText("2", { timeout: 30_000 });
  await expect(page.locator(".banner")).toHaveCount(0);
  const board = await server.ask("GET", "/wallboard");
  const totals = (board["data"] as { totals: { waiting: number } }).totals;
  expect(totals.waiting).toBe(2);
});
