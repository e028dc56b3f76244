// The page against the real program with a whole centre living in it, held against clients that
// share no code with it: what it draws, what it asks for, a call through its states, a kill, the
// keyboard. One demo lives through the file; the tests come in their order.
//
//   ATALAYA_BIN=…/release/atalaya ATALAYA_LONG=1 npm run e2e -- day     ten minutes of figures
import type { Page } from "@playwright/test";
import { differences, drawn } from "./drawn";
import { expect, expectAccessible, test as base } from "./harness";
import { AgentClient, Board, Log, roll, type Frame, type Held } from "./outside";
import { PROGRAM, Server } from "./server";

const LONG = process.env.ATALAYA_LONG === "1";
/** For how long the figures are held against an independent fold. */
const WATCHED_S = LONG ? 600 : 30;
/** Between two looks at the page; under a tick would look twice at the same. */
const LOOK_MS = 300;
/** Differences told at most; the first says what is wrong. */
const TOLD_MAX = 20;
/** Presses of Tab within which the whole page has been passed. */
const TABS_MAX = 400;

interface Demo {
  server: Server;
  /** A supervisor's token: what the page and the board beside it are opened with. */
  token: string;
}

const test = base.extend<object, { demo: Demo }>({
  demo: [
    async ({}, use) => {
      const server = await Server.open(["demo"]);
      try {
        await use({ server, token: await server.tokenOf("supervisor") });
      } finally {
        await server.close();
      }
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

/** Opens the page and signs in with the keyboard alone. */
async function enter(page: Page, { server, token }: Demo, query = ""): Promise<void> {
  await page.goto(`${server.url}/wallboard${query}`);
  await page.keyboard.press("Tab");
  const field = page.locator("#token");
  for (let i = 0; i < 10 && !(await field.evaluate((e) => e === document.activeElement)); i += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.insertText(token);
  await page.keyboard.press("Enter");
  await expect(page.locator("main[data-seq]")).toBeVisible();
}

/** A queue that only Bea serves, and Bea at her desk. */
async function desk(server: Server): Promise<AgentClient> {
  await server.ask("PUT", "/queues/day_spec", {
    name: "Cola de la prueba",
    requires: { day_spec: 5 },
    offer_timeout: "1h",
    wrap_up: "none",
  });
  await server.ask("PUT", "/agents/bea", {
    name: "Bea de la Prueba",
    team: "morning-1",
    level: 1,
    skills: { day_spec: 9 },
    languages: ["es"],
    capacity: { voice: 1 },
    queues: ["day_spec"],
  });
  return AgentClient.open(server, await server.tokenOf("agent", "bea"));
}

test("the page follows one call of a client's through all its states", async ({
  page,
  demo,
  watch,
}) => {
  await enter(page, demo);
  const bea = await desk(demo.server);
  const tile = page.locator('[data-agent="bea"]');
  const waiting = page.locator('[data-figure="queues.day_spec.waiting"]');
  const shows = async (state: string, waits: string) => {
    await expect(tile).toHaveAttribute("data-state", state);
    await expect(waiting).toHaveText(waits);
  };
  await expect(waiting).toHaveText("0");
  await expect(tile).toHaveCount(0);
  await bea.command("presence", { state: "ready" });
  await shows("ready", "0");
  const contact = await demo.server.call("day_spec");
  await shows("offered", "1");
  const second = await demo.server.call("day_spec");
  await shows("offered", "2");
  await bea.command("accept", { offer: await bea.offer() });
  await shows("busy", "1");
  await demo.server.ask("POST", `/contacts/${second}/abandon`, {});
  await shows("busy", "0");
  await bea.command("hold", { contact });
  await bea.command("resume", { contact });
  await bea.command("complete", { contact });
  await shows("wrap_up", "0");
  await bea.command("wrap_up", { contact, outcome: "solved" });
  await shows("ready", "0");
  await bea.command("presence", { state: "not_ready", reason: "break" });
  await shows("not_ready", "0");
  await bea.command("presence", { state: "signed_out" });
  await expect(tile).toHaveCount(0);
  bea.close();
  expect(watch.faults).toEqual([]);
});

test(`for ${WATCHED_S} s the figures drawn are an independent fold's, and nothing is asked`, async ({
  page,
  demo,
  watch,
}) => {
  test.setTimeout((WATCHED_S + 90) * 1000);
  const board = await Board.open(demo.server, demo.token);
  await enter(page, demo);
  const asked = watch.requests.length;
  const told: string[] = [];
  const seen = new Map<number, [waiting: number, present: string]>();
  let unmatched = 0;
  let figures = 0;
  const until = Date.now() + WATCHED_S * 1000;
  while (Date.now() < until && told.length < TOLD_MAX) {
    await page.waitForTimeout(LOOK_MS);
    const now = await drawn(page);
    await expect.poll(() => board.seq).toBeGreaterThanOrEqual(now.seq);
    const held = board.at(now.seq);
    if (held === undefined) {
      unmatched += 1;
    } else if (!seen.has(now.seq)) {
      told.push(...differences(now, held));
      figures += now.figures.length + now.agents.length;
      const tiles = now.agents.map(([id, state]): [string, string] => [id, state]);
      const waits = now.figures.find(([name]) => name === "totals.waiting");
      seen.set(now.seq, [Number(waits?.[1]), roll(tiles)]);
    }
  }
  const quiet = watch.requests.slice(asked);
  const log = new Log(demo.server);
  await log.read((seq) => {
    const page = seen.get(seq);
    if (page === undefined) return;
    const [waiting, present] = page;
    if (waiting !== log.waits) told.push(`at ${seq}: ${waiting} wait, the events say ${log.waits}`);
    if (present !== log.presences) told.push(`at ${seq}: ${present}, not ${log.presences}`);
  });
  board.close();
  console.log(
    `${figures} figures at ${seen.size} numbers up to ${board.seq}, ${board.deltas} deltas, ` +
      `${log.seq} events folded, ${unmatched} looks without a board of their number`,
  );
  expect(told.slice(0, TOLD_MAX)).toEqual([]);
  expect(board.faults).toEqual([]);
  expect(quiet).toEqual([]);
  expect(watch.sockets).toBe(1);
  expect(watch.faults).toEqual([]);
  // The page has the same ticks as any other client, but for the one it was opened at.
  expect(unmatched).toBeLessThanOrEqual(seen.size / 10);
  expect(seen.size).toBeGreaterThan(WATCHED_S / 2);
});

test("a page whose socket is lied to by one is found out", async ({ page, demo }) => {
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const server = ws.connectToServer();
    server.onMessage((message) => {
      const frame = JSON.parse(String(message)) as Frame & { data?: Held; set?: Held["totals"] };
      if (frame.data !== undefined) {
        frame.data.totals.waiting = Number(frame.data.totals.waiting) + 1;
      } else if (frame.set?.["/totals/waiting"] !== undefined) {
        frame.set["/totals/waiting"] = Number(frame.set["/totals/waiting"]) + 1;
      }
      ws.send(JSON.stringify(frame));
    });
  });
  const board = await Board.open(demo.server, demo.token);
  await enter(page, demo);
  await expect
    .poll(async () => {
      const now = await drawn(page);
      const held = board.at(now.seq);
      return held === undefined ? "" : differences(now, held).join();
    })
    .toMatch(/^at \d+: totals.waiting is \d+, the board says \d+$/);
  board.close();
});

for (const theme of ["light", "dark"]) {
  test(`accessible in ${theme} with a centre in it: form, board, filtered`, async ({
    page,
    demo,
    watch,
  }) => {
    // Two hundred tiles are looked at one by one.
    test.setTimeout(180_000);
    await page.goto(`${demo.server.url}/wallboard?theme=${theme}`);
    await expect(page.locator("#token")).toBeVisible();
    await expectAccessible(page);
    await enter(page, demo, `?theme=${theme}`);
    await expectAccessible(page);
    await page.locator(".legend button").first().click();
    await expectAccessible(page);
    expect(watch.faults).toEqual([]);
  });
}

/** The element that has the focus: what it is, whether it can be seen, and where it stands. */
async function focused(page: Page) {
  return page.evaluate(() => {
    const e = document.activeElement;
    if (e === null || e === document.body) return null;
    const box = e.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 12)];
    const on = document.elementFromPoint(x, y);
    const style = getComputedStyle(e);
    const name = e.getAttribute("aria-label") ?? (e as HTMLElement).innerText;
    return {
      told: `${e.localName} ${name.replace(/\s+/g, " ").trim().slice(0, 40)}`,
      named: name.trim() !== "" || e.id === "main",
      // Never under the sticky header, nor out of sight.
      seen: on !== null && (e.contains(on) || on.contains(e)),
      marked: style.outlineStyle !== "none" || style.boxShadow !== "none",
    };
  });
}

test("the whole page by keyboard: in, every stop seen, a filter, a search, out", async ({
  page,
  demo,
  watch,
}) => {
  await enter(page, demo);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const stops: string[] = [];
  for (let i = 0; i < TABS_MAX; i += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at === null) break;
    expect(at, at.told).toMatchObject({ named: true, seen: true, marked: true });
    stops.push(at.told);
  }
  console.log(`${stops.length} stops: ${stops.join(" | ").slice(0, 600)}`);
  expect(stops.length).toBeLessThan(TABS_MAX);
  const to = async (what: RegExp) => {
    for (let i = 0; i <= stops.length + 1; i += 1) {
      await page.keyboard.press("Tab");
      if (what.test((await focused(page))?.told ?? "")) return;
    }
    throw new Error(`no stop is ${what}`);
  };
  const tiles = page.locator("[data-agent]");
  const all = await tiles.count();
  await to(/^button En contacto/);
  await page.keyboard.press("Space");
  await expect(page.locator(".legend [aria-pressed=true]")).toHaveCount(1);
  await expect(page.locator('[data-agent]:not([data-state="busy"])')).toHaveCount(0);
  await page.keyboard.press("Space");
  await expect.poll(() => tiles.count()).toBeGreaterThanOrEqual(Math.min(all, 1));
  await to(/^input /);
  await page.keyboard.insertText("nadie se llama así");
  await expect(tiles).toHaveCount(0);
  await to(/^button Quitar filtro/);
  await page.keyboard.press("Enter");
  await expect(tiles).not.toHaveCount(0);
  await to(/^button Salir/);
  await page.keyboard.press("Enter");
  await expect(page.locator("#token")).toBeVisible();
  expect(watch.faults).toEqual([]);
});

test("kill -9: stale within 5 s; after the restart it goes on without a reload", async ({
  page,
  demo,
  watch,
}) => {
  test.setTimeout(120_000);
  await enter(page, demo);
  // A page that is loaded anew forgets this; the first word of staleness is kept.
  await page.evaluate(() => {
    const kept = window as unknown as { stale?: [at: number, text: string] };
    const look = (): void => {
      const banner = document.querySelector(".banner");
      if (banner !== null) kept.stale ??= [Date.now(), banner.textContent ?? ""];
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  });
  const before = (await drawn(page)).seq;
  const killed = Date.now();
  await demo.server.kill();
  await expect(page.locator("main")).toHaveClass(/stale/);
  const kept = () => page.evaluate(() => (window as unknown as { stale?: [number, string] }).stale);
  const [at, text] = (await kept()) ?? [NaN, ""];
  console.log(`stale ${at - killed} ms after the kill: ${text.replace(/\s+/g, " ")}`);
  expect(text).toMatch(/Sin datos desde hace [0-5] s/);
  await expect(page.locator("main")).toHaveCSS("filter", "grayscale(1)");
  await expectAccessible(page);
  const errors = watch.faults.splice(0).filter((fault) => !/WebSocket|ERR_CONNECTION/.test(fault));
  expect(errors).toEqual([]);
  await demo.server.start();
  await expect(page.locator("main")).not.toHaveClass(/stale/, { timeout: 60_000 });
  expect(await kept()).toEqual([at, text]);
  const board = await Board.open(demo.server, demo.token);
  let differing = ["not looked at"];
  await expect
    .poll(async () => {
      const now = await drawn(page);
      const held = board.at(now.seq);
      if (held !== undefined && now.seq > before) differing = differences(now, held);
      return differing;
    })
    .toEqual([]);
  board.close();
});
