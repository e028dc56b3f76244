// What the mock server answers to a person's clicks: the roster, the contacts behind a figure, why
// one waits, an agent's state forced. Invented, always the same; only the shapes are the contract's.
import type { Contact, Explanation, Interval, Profile } from "../src/lib/api";
import type { Agent, Wallboard } from "../src/lib/wire";

/** People of the roster who are not signed in, all of one team. */
export const AWAY = 12;
const PAGE = 5;

export interface Reply {
  status: number;
  body: object;
}

const refuse = (status: number, kind: string, detail: string): Reply => ({
  status,
  body: { type: `urn:atalaya:problem:${kind}`, title: kind, status, detail },
});

const profileOf = (id: string, agent: Agent): Profile => ({
  id,
  name: agent.name,
  team: agent.team,
  level: agent.level,
  languages: ["es", "gl"],
  skills: { cuantias: 7, otros: 4 },
  state: agent.state,
  reason: agent.reason,
  since: agent.since,
  pending: null,
  work: [],
});

function people(data: Wallboard): Profile[] {
  const away = Array.from({ length: AWAY }, (_, i) => ({
    id: `away.${String(i).padStart(2, "0")}`,
    name: `Ausente Número ${i}`,
    team: "afternoon-2",
    level: 1,
    languages: ["es"],
    skills: {},
    state: "signed_out",
    reason: null,
    since: null,
  }));
  return [...Object.entries(data.agents).map(([id, a]) => profileOf(id, a)), ...away];
}

function contact(data: Wallboard, figure: string, i: number, now: number): Contact {
  const queue = figure.startsWith("totals.") ? Object.keys(data.queues)[i % 3] : figure.split(".")[0];
  const instant = (s: number): string => new Date(now - s * 1000).toISOString();
  const waits = figure.includes(".waiting");
  return {
    id: `0199aaaa-${String(i).padStart(4, "0")}`,
    channel: "voice",
    queue: queue ?? "",
    state: waits ? "queued" : "closed",
    from: i === 0 ? null : `··· ··· ${100 + i}`,
    arrived_at: instant(900 - i),
    queued_at: instant(900 - i),
    answered_at: waits ? null : instant(860 - i),
    ended_at: waits ? null : instant(300),
    agent: waits ? null : "agent.001",
  };
}

/** As many as the figure says, a page of five at a time. */
function contacts(data: Wallboard, query: URLSearchParams, now: number): Reply {
  const figure = query.get("counted_in") ?? "";
  const [scope = "", name = ""] = figure.split(".");
  const of: object | undefined = scope === "totals" ? data.totals : data.queues[scope];
  const value = of === undefined ? undefined : (of as Record<string, unknown>)[name];
  if (typeof value !== "number") {
    return refuse(400, "invalid-field", `counted_in: there is no figure ${figure}`);
  }
  const from = Number(query.get("cursor") ?? "0");
  const to = Math.min(value, from + PAGE);
  const items = Array.from({ length: to - from }, (_, i) => contact(data, figure, from + i, now));
  return { status: 200, body: { items, next_cursor: to < value ? String(to) : null } };
}

const waits: Explanation = {
  state: "queued",
  order: { position: 2, of: 7 },
  rules: [
    { rule: "busy", stops: 118, left: 42 },
    { rule: "skill", stops: 42, left: 0 },
  ],
  nearest: [{ agent: "agent.019", rule: "skill", detail: "cuantias 4, needs 7", able_at: null }],
  decision: null,
};

function intervals(now: number): Interval[] {
  const quarter = 900_000;
  return [4, 3, 2, 1].map((back, i) => ({
    from: new Date(Math.floor(now / quarter) * quarter - back * quarter).toISOString(),
    queue: "cuantias",
    offered: 40 + i,
    answered: 34,
    answered_within: 28 - i,
    abandoned: 4 + i,
    short_abandoned: 1,
    longest_wait_s: 90 + 30 * i,
  }));
}

/** Null: none of these. `scope` is the session's, `forced` gets what was forced. */
export function reply(
  call: string,
  query: URLSearchParams,
  body: unknown,
  { data, now, reads }: { data: Wallboard; now: number; reads: boolean },
): Reply | null {
  const [method = "", path = ""] = call.split(" ");
  const part = path.replace("/api/v1", "").split("/");
  if (method === "POST" && part[1] === "agents" && part[3] === "presence") {
    if (reads) return refuse(403, "forbidden", "this token may only read");
    const { state, reason, why } = body as { state: string; reason?: string; why?: string };
    if (!why) return refuse(422, "invalid-field", "why is missing");
    const agent = data.agents[part[2] ?? ""];
    if (agent === undefined) return refuse(404, "not-found", "agent");
    return { status: 200, body: { ...profileOf(part[2] ?? "", agent), state, reason } };
  }
  if (method !== "GET") return null;
  if (part[1] === "reports") {
    return { status: 200, body: { items: intervals(now), next_cursor: null } };
  }
  if (part[1] === "agents" && part[2] === undefined) {
    return { status: 200, body: { items: people(data), next_cursor: null } };
  }
  if (part[1] === "agents") {
    const found = people(data).find((who) => who.id === part[2]);
    return found ? { status: 200, body: found } : refuse(404, "not-found", "agent");
  }
  if (part[1] === "contacts" && part[2] === undefined) return contacts(data, query, now);
  if (part[1] === "contacts" && part[3] === "explain") return { status: 200, body: waits };
  if (part[1] === "contacts") {
    return { status: 200, body: { ...contact(data, "cuantias.active", 4, now), id: part[2] } };
  }
  return null;
}
