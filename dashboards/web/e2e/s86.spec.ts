// S86: one closed set of contacts on a clock that stands still, and the same figures wherever they
// are told: drawn by the page, in `GET /wallboard`, in the intervals as JSON and as CSV, and as the
// lists of contacts behind them. The set is small enough to be counted by hand, and is.
import { differences, drawn } from "./drawn";
import { expect, test as base } from "./harness";
import { PROGRAM, Server } from "./server";

const START = "2026-03-02T08:00:00Z";
/** The figures that both the wallboard, with `_today`, and a row of the intervals have. */
const COUNTS = [
  "offered",
  "answered",
  "abandoned",
  "short_abandoned",
  "refused",
  "overflowed_out",
  "transferred_out",
  "callbacks",
];
/** The header of the CSV, and the members of a row, in their order. */
const COLUMNS =
  "from,to,queue,closed,offered,answered,answered_within,abandoned,short_abandoned," +
  "abandoned_within,refused,overflowed_out,transferred_out,callbacks,still_waiting,service_level," +
  "service_level_abandons_ignored,service_level_abandons_in_time_count,asa_s,mean_wait_s,aht_s," +
  "abandonment_rate,longest_wait_s";

type Row = Record<string, string | number | boolean | null>;
interface Intervals {
  items: Row[];
  totals: Row;
  seq: number;
}
interface Board {
  seq: number;
  data: {
    totals: Row;
    queues: Record<string, Row>;
    agents: Record<string, Row>;
  };
}

const test = base.extend<{ server: Server }>({
  server: async ({}, use) => {
    const server = await Server.open(["serve", "--clock-rate", "0", "--clock-start", START]);
    await use(server);
    await server.close();
  },
});
test.skip(PROGRAM === undefined, "needs the program: ATALAYA_BIN names it");

/** Commands on a clock that stands until it is moved. */
class Day {
  constructor(private readonly server: Server) {}

  async after(advance: string): Promise<void> {
    await this.server.ask("POST", "/clock", { advance });
  }

  async present(agent: string, state: "ready" | "not_ready"): Promise<void> {
    const reason = state === "ready" ? {} : { reason: "break" };
    await this.server.act(agent, `/agents/${agent}/presence`, { state, ...reason });
  }

  async take(agent: string, contact: string): Promise<void> {
    const { offer } = await this.server.ask("GET", `/contacts/${contact}`);
    await this.server.act(agent, `/agents/${agent}/offers/${(offer as { id: string }).id}/accept`);
  }

  async finish(agent: string, contact: string, wrapping: string | null): Promise<void> {
    await this.server.act(agent, `/contacts/${contact}/complete`);
    if (wrapping !== null) await this.after(wrapping);
    await this.server.act(agent, `/contacts/${contact}/wrap_up`);
  }

  async leave(...contacts: string[]): Promise<void> {
    for (const id of contacts) await this.server.ask("POST", `/contacts/${id}/abandon`, {});
  }
}

/** Eight contacts in two queues: what becomes of each is said beside it. */
async function live(server: Server): Promise<void> {
  for (const [queue, agent] of [
    ["pensions", "ana"],
    ["otros", "bea"],
  ] as const) {
    await server.ask("PUT", `/queues/${queue}`, {
      name: queue,
      requires: { [queue]: 5 },
      service_level: { share: 0.8, within: "20s" },
      offer_timeout: "1h",
      short_abandon: "5s",
      max_waiting: 2,
      wrap_up: "none",
    });
    await server.ask("PUT", `/agents/${agent}`, {
      name: agent,
      team: "morning-1",
      level: 1,
      skills: { [queue]: 5 },
      languages: ["es"],
      capacity: { voice: 1 },
    });
  }
  const day = new Day(server);
  const first = await server.call("pensions"); // Answered after 10 s; 60 s talk, 30 s wrap-up.
  await day.after("10s");
  await day.present("ana", "ready");
  await day.take("ana", first);
  await day.after("60s");
  await day.finish("ana", first, "30s");
  await day.present("ana", "not_ready");
  const second = await server.call("pensions"); // Answered after 30 s, too late; 120 s talk.
  await day.after("30s");
  await day.present("ana", "ready");
  await day.take("ana", second);
  await day.after("120s");
  await day.finish("ana", second, null);
  await day.present("ana", "not_ready");
  const third = await server.call("pensions"); // Leaves after 3 s: short.
  await day.after("3s");
  await day.leave(third);
  const fourth = await server.call("pensions"); // Leaves after 50 s.
  await day.after("50s");
  await day.leave(fourth);
  const full = [await server.call("pensions"), await server.call("pensions")];
  await server.call("pensions"); // Refused: two wait, which is all that may.
  await day.after("10s");
  await day.leave(...full); // Both leave after 10 s.
  await day.after("15m");
  const other = await server.call("otros"); // Another interval and queue; answered after 5 s.
  await day.after("5s");
  await day.present("bea", "ready");
  await day.take("bea", other);
  await day.after("100s");
  await day.finish("bea", other, null);
  await day.after("30m");
}

const HAND: Record<string, Row> = {
  pensions: {
    offered: 7,
    answered: 2,
    abandoned: 4,
    short_abandoned: 1,
    refused: 1,
    service_level: 1 / 5,
    asa_s: 20,
    aht_s: 105,
  },
  otros: {
    offered: 1,
    answered: 1,
    abandoned: 0,
    short_abandoned: 0,
    refused: 0,
    service_level: 1,
    asa_s: 5,
    aht_s: 100,
  },
  totals: {
    offered: 8,
    answered: 3,
    abandoned: 4,
    short_abandoned: 1,
    refused: 1,
    service_level: 2 / 6,
  },
};

/** What the wallboard says of a queue, or of all, under a row's names. */
function today(board: Board, queue: string): Row {
  const held = queue === "totals" ? board.data.totals : (board.data.queues[queue] ?? {});
  const row: Row = { service_level: held["service_level_today"] ?? null };
  for (const name of COUNTS) row[name] = held[`${name}_today`] ?? null;
  if (queue !== "totals") {
    row["asa_s"] = held["asa_today_s"] ?? null;
    row["aht_s"] = held["aht_today_s"] ?? null;
  }
  return row;
}

const intervals = async (server: Server, query: string): Promise<Intervals> =>
  (await server.ask("GET", `/reports/intervals?${query}`)) as unknown as Intervals;

/** The totals of the day's intervals, of each queue and of all. */
async function reports(server: Server): Promise<Record<string, Row>> {
  const rows: Record<string, Row> = { totals: (await intervals(server, "by=1d")).totals };
  for (const queue of Object.keys(HAND).filter((id) => id !== "totals")) {
    rows[queue] = (await intervals(server, `by=1d&queue=${queue}`)).totals;
  }
  return rows;
}

/** A cell of the CSV, as what stands in its place in the JSON is written. */
function read(text: string, as: Row[string] | undefined): Row[string] {
  if (text === "") return null;
  if (typeof as === "number") return Number(text);
  return typeof as === "boolean" ? text === "true" : text;
}

const cell = (value: Row[string] | undefined): string =>
  value === null || value === undefined ? "" : String(value);

test("s86: the page draws what the board says, which is what was counted by hand", async ({
  page,
  server,
}) => {
  await live(server);
  const board = (await server.ask("GET", "/wallboard")) as unknown as Board;
  for (const [queue, row] of Object.entries(HAND)) {
    expect(today(board, queue), queue).toMatchObject(row);
  }
  await page.goto(`${server.url}/wallboard`);
  await page.locator("#token").fill(await server.tokenOf("supervisor"));
  await page.keyboard.press("Enter");
  await expect(page.locator("main[data-seq]")).toBeVisible();
  const now = (await server.ask("GET", "/wallboard")) as unknown as Board;
  await expect(page.locator("main")).toHaveAttribute("data-seq", String(now.seq));
  const shown = await drawn(page);
  expect(differences(shown, now.data)).toEqual([]);
  const reported = await reports(server);
  let compared = 0;
  for (const [name, raw] of shown.figures) {
    const [, of = "", key = "", unit = ""] =
      /^(?:queues\.)?([^.]+)\.(\w+)_today(_s)?$/.exec(name) ?? [];
    const row = reported[of] ?? {};
    if (!(key + unit in row)) continue;
    expect(raw, name).toBe(cell(row[key + unit]));
    compared += 1;
  }
  // The level of service at least, of all and of each queue.
  expect(compared).toBeGreaterThanOrEqual(Object.keys(HAND).length);
});

test("s86: intervals as JSON and as CSV, and the contacts behind them, are the same", async ({
  server,
}) => {
  await live(server);
  const board = (await server.ask("GET", "/wallboard")) as unknown as Board;
  for (const [queue, row] of Object.entries(HAND)) {
    const only = queue === "totals" ? "" : `queue=${queue}&`;
    for (const by of ["15m", "1h", "1d"]) {
      const query = `${only}by=${by}`;
      const json = await intervals(server, query);
      expect(json.totals, query).toMatchObject(row);
      expect(json.totals, query).toMatchObject(today(board, queue));
      for (const name of [...COUNTS, "answered_within"]) {
        const sum = json.items.reduce((n, item) => n + Number(item[name]), 0);
        expect(sum, `${name} of ${query}`).toBe(json.totals[name]);
      }
      const csv = await server.text(`/reports/intervals?${query}`, "text/csv");
      const lines = csv.trimEnd().split(/\r?\n/);
      expect(lines[0]).toBe(COLUMNS);
      const names = COLUMNS.split(",");
      const rows = lines.slice(1).map((line) => line.split(","));
      const told = [...json.items, json.totals].map((item) => names.map((name) => item[name]));
      expect(rows.map((row, i) => row.map((text, j) => read(text, told[i]?.[j])))).toEqual(told);
    }
    for (const name of COUNTS) {
      const list = await server.ask("GET", `/contacts?limit=500&counted_in=${queue}.${name}_today`);
      expect((list["items"] as unknown[]).length, `${queue}.${name}`).toBe(
        today(board, queue)[name],
      );
    }
  }
});
