// The page against the real program with a whole centre living in it, held against clients that
// share no code with it: what it draws, what it asks for, a call through its states, a kill.
//
//   ATALAYA_BIN=…/release/atalaya ATALAYA_LONG=1 npm run e2e -- day     ten minutes of figures
import { enter, test } from "./demo";
import { differences, drawn, wrong } from "./drawn";
import { expect, expectAccessible } from "./harness";
import { AgentClient, Board, Log, roll, type Frame, type Held } from "./outside";
import { PROGRAM, type Server } from "./server";

const LONG = process.env.ATALAYA_LONG === "1";
/** For how long the figures are held against an independent fold. */
const WATCHED_S = LONG ? 600 : 30;
/** Between two looks at the page; under a tick would look twice at the same. */
const LOOK_MS = 300;
/** Differences told at most; the first says what is wrong. */
const TOLD_MAX = 20;

test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

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
  const tile = page.locator('[data-agent="bea"]:not([data-state="signed_out"])');
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
  // What it asks for once at its opening is over.
  await page.waitForLoadState("networkidle");
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

test("the wall's pages draw the same figures, and nobody's name", async ({ page, demo, watch }) => {
  const board = await Board.open(demo.server, demo.token);
  await enter(page, demo);
  for (let i = 1; i <= 5; i += 1) {
    await page.goto(`${demo.server.url}/wallboard?kiosk&page=${i}`);
    const figures = page.locator("main [data-figure]");
    await expect(figures.first()).toBeVisible();
    let told = ["not looked at"];
    await expect
      .poll(async () => {
        const now = await drawn(page);
        const held = board.at(now.seq);
        if (held !== undefined) told = wrong(now, held);
        return told;
      })
      .toEqual([]);
    await expect(page.locator("[data-agent]")).toHaveCount(0);
    const text = (await page.locator("body").innerText()).toLowerCase();
    const held = board.at(board.seq);
    const names = Object.values(held?.agents ?? {}).map((a) => String(a.name).toLowerCase());
    expect(names.length).toBeGreaterThan(1);
    expect(names.filter((name) => text.includes(name))).toEqual([]);
  }
  board.close();
  expect(watch.faults).toEqual([]);
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
