// What the wallboard shows: figures, order, words and glyphs, levels without flicker.
import { describe, expect, it } from "vitest";
import { centre } from "../e2e/centre";
import * as board from "../src/lib/board";
import { inOrder } from "../src/lib/formats";
import { abandonment } from "../src/lib/figures";
import { agentRule, LEAST_MS, level, Levels, serviceRule, type Rule } from "../src/lib/levels";
import { csrfOf } from "../src/lib/session";
import type { Agent, Queue } from "../src/lib/wire";

const data = centre(Date.parse("2026-03-02T09:42:18Z"));
const agent = (part: Partial<Agent>): board.Row => ({
  id: "a",
  channel: null,
  agent: { ...(data.agents["agent.001"] as Agent), ...part },
});

const queue = (part: Partial<Queue>): Queue => {
  const { thresholds: _, ...plain } = data.queues.cuantias as Queue;
  return { ...plain, ...part };
};

describe("figures", () => {
  it("follow their formulas, and are nothing without traffic", () => {
    expect(abandonment(data.totals, "today")).toBeCloseTo(109 / 1636);
    expect(board.occupancy(data.totals)).toBeCloseTo(147 / 152);
    const empty = {
      ...data.totals,
      offered_today: 0,
      abandoned_today: 0,
      short_abandoned_today: 0,
    };
    expect(abandonment(empty, "today")).toBeNull();
    expect(board.occupancy({ ...empty, offered: 0, busy: 0, wrap_up: 0, ready: 0 })).toBeNull();
  });

  it("tell closed from emergency-closed", () => {
    const states = ["open", "closed", "emergency_closed", "closed_emergency", "new"];
    expect(states.map(board.openness)).toEqual([
      "open",
      "closed",
      "emergency",
      "emergency",
      "closed",
    ]);
  });
});

describe("teams", () => {
  const order = inOrder("es");

  it("stand in the order of the day, agents by name", () => {
    const teams = board.teams(data, order);
    expect(teams.map((t) => t.id)).toEqual([
      "morning-1",
      "morning-2",
      "morning-3",
      "morning-4",
      "morning-5",
      "level-2",
      "afternoon-1",
    ]);
    const names = teams[0]?.rows.map((r) => r.agent.name) ?? [];
    expect(names).toEqual([...names].sort(order.compare));
    expect(teams.reduce((n, t) => n + t.rows.length, 0)).toBe(160);
  });

  it("do not move when states do", () => {
    const before = board.teams(data, order).flatMap((t) => t.rows.map((r) => r.id));
    const entries = Object.entries(data.agents).reverse();
    const agents = Object.fromEntries(
      entries.map(([id, a]) => [id, { ...a, state: "ready" as const }]),
    );
    const after = board.teams({ ...data, agents }, order).flatMap((t) => t.rows.map((r) => r.id));
    expect(after).toEqual(before);
  });

  it("have words where their slugs are known", () => {
    expect(board.teamName("morning-3")).toEqual({ key: "team.morning", n: "3" });
    const special = { key: "team.morning_special", n: "2" };
    expect(board.teamName("morning-special-2")).toEqual(special);
    expect(board.teamName("afternoon-special")).toEqual({ key: "team.afternoon_special", n: "" });
    expect(board.teamName("A01-1")).toEqual({ key: null, n: "A01-1" });
  });
});

it.each([
  [{ state: "busy" }, "voice", "channel.voice", "busy"],
  [{ state: "busy" }, "chat", "channel.chat", "chat"],
  [{ state: "busy" }, null, "state.busy", "busy"],
  [{ state: "not_ready", reason: "break" }, null, "reason.break", "not_ready"],
  [{ state: "not_ready", reason: "missed_offer" }, null, "reason.missed_offer", "missed"],
  [{ state: "not_ready", reason: "fire_drill" }, null, null, "not_ready"],
  [{ state: "lost", reason: "break" }, null, "state.lost", "lost"],
] as const)("state %j on %s has word and glyph", (part, channel, key, glyph) => {
  const row = { ...agent(part), channel };
  expect(board.wordOf(row).key).toBe(key);
  expect(board.glyphOf(row).glyph).toBe(glyph);
});

it("shows an unnamed reason readably", () => {
  expect(board.wordOf(agent({ state: "not_ready", reason: "fire_drill" })).slug).toBe("Fire drill");
});

it("filters by state and by name, accents aside", () => {
  const row = agent({ name: "Íñigo Núñez", state: "ready" });
  expect(board.passes(row, new Set(), " inigo ")).toBe(true);
  expect(board.passes(row, new Set(["ready"]), "NUN")).toBe(true);
  expect(board.passes(row, new Set(["busy"]), "")).toBe(false);
  expect(board.passes(row, new Set(), "zzz")).toBe(false);
});

describe("levels", () => {
  const rule: Rule = { better: "low", warning: 100, critical: 200 };

  it("are raised past the limit, on either side", () => {
    expect([100, 101, 200, 201].map((x) => level(x, rule))).toEqual([
      "target",
      "warning",
      "warning",
      "critical",
    ]);
    const high = serviceRule(queue({}));
    expect([0.8, 0.76, 0.74, 0.4].map((x) => level(x, high))).toEqual([
      "target",
      "target",
      "warning",
      "critical",
    ]);
    expect(level(null, rule)).toBe("target");
    expect(serviceRule(queue({ target: null }))).toBeNull();
  });

  it("fall only past ten per cent and after the least time", () => {
    const levels = new Levels();
    const at = (x: number | null, mono: number) => levels.of("q", x, rule, mono);
    expect(at(101, 0)).toBe("warning");
    expect(at(50, LEAST_MS - 1)).toBe("warning");
    expect(at(95, LEAST_MS + 1)).toBe("warning");
    expect(at(89, LEAST_MS + 2)).toBe("target");
    expect(at(201, LEAST_MS + 3)).toBe("critical");
    expect(at(null, LEAST_MS + 4)).toBe("target");
  });

  it("start afresh with another state of the same agent", () => {
    const levels = new Levels();
    expect(levels.of("a", 300, rule, 0, "busy 1")).toBe("critical");
    expect(levels.of("a", 3, rule, 1, "ready 2")).toBe("target");
  });

  it("mark an agent without signal at once", () => {
    expect(level(0, agentRule(agent({ state: "lost" }).agent))).toBe("warning");
    expect(agentRule(agent({ state: "ready" }).agent)).toBeNull();
  });
});

it("finds the value that a write must send back", () => {
  expect(csrfOf("a=1; __Host-atalaya-csrf=x=y; b=2")).toBe("x=y");
  expect(csrfOf("atalaya-csrf=z")).toBe("z");
  expect(csrfOf("not-atalaya-csrf=z")).toBeNull();
  expect(csrfOf("")).toBeNull();
});
