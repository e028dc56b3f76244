// What the page has drawn, read from it at one moment, and held against what a board of the same
// sequence number says it should draw. Nothing of the page's own code is used: the formulas of the
// two derived figures are written here anew.
import type { Page } from "@playwright/test";
import type { Held } from "./outside";

export interface Drawn {
  seq: number;
  /** Name, raw value and text of each figure. */
  figures: [string, string, string][];
  /** Id, state, reason and since of each tile in its team, of who is signed in. */
  agents: [string, string, string, string][];
}

export async function drawn(page: Page): Promise<Drawn> {
  return page.evaluate(() => {
    const of = (e: Element, name: string): string => e.getAttribute(name) ?? "";
    const all = (name: string): Element[] => [...document.querySelectorAll(`main [${name}]`)];
    const main = document.querySelector("main");
    return {
      seq: Number(main === null ? "" : of(main, "data-seq")),
      figures: all("data-figure").map((e): [string, string, string] => [
        of(e, "data-figure"),
        of(e, "data-value"),
        e.textContent ?? "",
      ]),
      // Who is signed out comes with another topic, which has numbers of its own.
      agents: all("data-agent")
        .filter((e) => of(e, "data-state") !== "signed_out")
        .map((e): [string, string, string, string] => [
          of(e, "data-agent"),
          of(e, "data-state"),
          of(e, "data-reason"),
          of(e, "data-since"),
        ]),
    };
  });
}

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** What stands behind a figure's name on a board; undefined where nothing does. */
function behind(held: Held, name: string): unknown {
  const n = (key: string): number => Number(held.totals[key]);
  const over = /^totals\.abandonment_rate_(\w+)$/.exec(name)?.[1];
  if (over !== undefined) {
    const short = n(`short_abandoned_${over}`);
    return share(n(`abandoned_${over}`) - short, n(`offered_${over}`) - short);
  }
  if (name === "totals.occupancy") {
    const working = n("offered") + n("busy") + n("wrap_up");
    return share(working, working + n("ready"));
  }
  const [part, ...keys] = name.split(".");
  if (part === "totals" || part === "legend") return held.totals[keys.join(".")];
  const key = keys.pop();
  return part === "queues" && key !== undefined ? held.queues[keys.join(".")]?.[key] : undefined;
}

const percent = new Intl.NumberFormat("es-ES", { style: "percent", maximumFractionDigits: 0 });

/** Whether `text` is how a Spanish page writes this value; of ages only that it is one. */
function reads(name: string, value: unknown, text: string): boolean {
  if (value === null || value === undefined) return text === "—";
  if (name.endsWith("_since")) return /^(\d+:)?\d\d:\d\d$/.test(text);
  if (typeof value !== "number") return text !== "";
  if (/service_level|_rate|occupancy/.test(name)) return text === percent.format(value);
  if (name.endsWith("_s")) return /\d/.test(text);
  // A unit such as `of 151` is a count with words around it.
  return text.replace(/\D/g, "") === String(value);
}

/** Figures that are drawn otherwise than the board of their number says. */
export function wrong(page: Drawn, held: Held): string[] {
  const told: string[] = [];
  for (const [name, raw, text] of page.figures) {
    const value = behind(held, name);
    const expected = value === null || value === undefined ? "" : String(value);
    if (raw !== expected) told.push(`${name} is ${raw}, the board says ${expected}`);
    else if (!reads(name, value, text)) told.push(`${name} of ${raw} reads ${text}`);
  }
  return told.map((difference) => `at ${page.seq}: ${difference}`);
}

/** Every difference: figures, those that must be there, and the tiles of who is signed in. */
export function differences(page: Drawn, held: Held): string[] {
  const told: string[] = [];
  const queues = Object.keys(held.queues).map((id) => `queues.${id}.waiting`);
  for (const name of ["totals.waiting", "totals.ready", "totals.signed_in", ...queues]) {
    if (!page.figures.some(([drawn]) => drawn === name)) told.push(`${name} is not drawn`);
  }
  const tiles = new Set(page.agents.map(([id, ...rest]) => `${id} ${rest.join(" ")}`));
  const expected = new Set(
    Object.entries(held.agents).map(
      ([id, a]) => `${id} ${String(a.state)} ${String(a.reason ?? "")} ${String(a.since)}`,
    ),
  );
  for (const tile of tiles) if (!expected.has(tile)) told.push(`tile ${tile} is not so`);
  for (const tile of expected) if (!tiles.has(tile)) told.push(`no tile ${tile}`);
  if (tiles.size !== page.agents.length) told.push("a tile is drawn twice");
  return [...wrong(page, held), ...told.map((difference) => `at ${page.seq}: ${difference}`)];
}
