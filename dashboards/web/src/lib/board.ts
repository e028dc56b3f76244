// What the wallboard shows, reckoned from its data: figures of the strip, agents in teams, the
// word and glyph of a state. Pure; no language is chosen and nothing is drawn here.
import { isKey, type Key } from "../i18n";
import { isGlyph, type Glyph } from "./icons";
import { ratio } from "./formats";
import type { Profile } from "./api";
import type { Agent, Presence, Queue, Totals, Wallboard } from "./wire";

/** In the order of the legend. */
export const STATES: readonly Presence[] = [
  "ready",
  "offered",
  "busy",
  "wrap_up",
  "not_ready",
  "lost",
  "signed_out",
];

/** Working now, of those working or free. */
export function occupancy(t: Totals): number | null {
  const working = t.offered + t.busy + t.wrap_up;
  return ratio(working, working + t.ready);
}

export type Openness = "open" | "closed" | "emergency";

/** Any state but `open` takes no contacts; an emergency is told apart. */
export function openness(state: string): Openness {
  if (state === "open") return "open";
  return state.includes("emergency") ? "emergency" : "closed";
}

/** What a narrow tile calls a queue: its short name, unless that is the name cut off in a word. */
export function shortName({ name, short_name: short }: Queue): string {
  if (short === undefined || short === "") return name;
  const cut = name.startsWith(short) && /^[\p{L}\p{N}]/u.test(name.slice(short.length));
  return cut ? name : short;
}

export interface Row {
  id: string;
  agent: Agent;
  /** The channel of the queue that the agent works for, if that is known. */
  channel: string | null;
}

export interface Team {
  id: string;
  rows: Row[];
  signedIn: number;
}

/** Somebody of the roster who is not on the wire, which holds the signed in alone. */
const away = (who: Profile): Agent => ({
  name: who.name,
  team: who.team,
  level: who.level,
  state: "signed_out",
  reason: null,
  since: "",
  queue: null,
  contact: null,
});

/** Agents by team, teams and agents in an order that no change of state alters. Those whom only
 *  the roster knows are signed out. */
export function teams(
  data: Wallboard,
  order: Intl.Collator,
  roster: readonly Profile[] = [],
): Team[] {
  const everybody = new Map(Object.entries(data.agents));
  for (const who of roster) if (!everybody.has(who.id)) everybody.set(who.id, away(who));
  const byTeam = new Map<string, Row[]>();
  for (const [id, agent] of everybody) {
    const queue = agent.queue === null ? undefined : data.queues[agent.queue];
    const row = { id, agent, channel: queue?.channel ?? null };
    const rows = byTeam.get(agent.team);
    if (rows === undefined) byTeam.set(agent.team, [row]);
    else rows.push(row);
  }
  const byName = (a: Row, b: Row): number =>
    order.compare(a.agent.name, b.agent.name) || order.compare(a.id, b.id);
  return [...byTeam]
    .map(([id, rows]) => ({
      id,
      rows: rows.sort(byName),
      signedIn: rows.length - countOf(rows, "signed_out"),
    }))
    .sort((a, b) => shift(a.id) - shift(b.id) || order.compare(a.id, b.id));
}

/** Mornings, then levels, then afternoons, as the day goes; other teams between. */
function shift(team: string): number {
  if (team.startsWith("morning")) return 0;
  return team.startsWith("afternoon") ? 2 : 1;
}

export const countOf = (rows: readonly Row[], state: Presence): number =>
  rows.reduce((n, row) => n + (row.agent.state === state ? 1 : 0), 0);

/** What a state is called: the channel of busy work, the reason of a pause. Null in `key` means
 *  that the words have none for it, and the slug itself is shown. */
export function wordOf({ agent, channel }: Row): { key: Key | null; slug: string } {
  const slug =
    agent.state === "busy" && channel !== null
      ? `channel.${channel}`
      : agent.state === "not_ready" && agent.reason !== null
        ? `reason.${agent.reason}`
        : `state.${agent.state}`;
  if (isKey(slug)) return { key: slug, slug };
  if (agent.state === "not_ready" && agent.reason !== null)
    return { key: null, slug: plain(agent.reason) };
  const state = `state.${agent.state}`;
  return { key: isKey(state) ? state : null, slug: plain(agent.state) };
}

/** A slug that nobody named, made readable. */
export function plain(slug: string): string {
  const text = slug.replaceAll(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The glyph and the colour's name of a state. */
export function glyphOf({ agent, channel }: Row): { glyph: Glyph; tone: string } {
  const missed = agent.reason === "missed_offer" || agent.reason === "rejected_offer";
  if (agent.state === "not_ready" && missed) return { glyph: "missed", tone: "missed" };
  const other = agent.state === "busy" && channel !== null && isGlyph(channel);
  if (other) return { glyph: channel, tone: "busy" };
  return { glyph: isGlyph(agent.state) ? agent.state : "signed_out", tone: agent.state };
}

export interface TeamName {
  key: Key | null;
  n: string;
}

/** `morning-1`, `morning-special-1` and their like have words; any other team is called by its slug. */
export function teamName(id: string): TeamName {
  const found = /^(morning|afternoon|level)(?:-(special))?(?:-(\d+))?$/.exec(id);
  const key = `team.${[found?.[1], found?.[2]].filter((part) => part !== undefined).join("_")}`;
  return found !== null && isKey(key) ? { key, n: found[3] ?? "" } : { key: null, n: id };
}

const fold = (text: string): string =>
  text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();

/** Whether a row passes the filters: any of the states, and the text in the name or team. */
export function passes(row: Row, states: ReadonlySet<Presence>, text: string): boolean {
  if (states.size > 0 && !states.has(row.agent.state)) return false;
  return fold(row.agent.name).includes(fold(text.trim()));
}
