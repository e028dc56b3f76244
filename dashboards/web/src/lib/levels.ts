// Thresholds: when a figure is a warning and when it is critical, without flicker. The wire
// carries a queue's target; the limits below are the application's own until configuration
// reaches it. How a level looks is not here.
import type { Agent, Queue } from "./wire";

export type Level = "target" | "warning" | "critical";

export interface Rule {
  better: "low" | "high";
  warning: number;
  critical: number;
}

/** A raised level is left only past its limit by this share of it … */
const HYSTERESIS = 0.1;
/** … and no sooner than this after it was raised, milliseconds of wall time. */
export const LEAST_MS = 10_000;

const RANK: Record<Level, number> = { target: 0, warning: 1, critical: 2 };
export const worse = (a: Level, b: Level): Level => (RANK[a] >= RANK[b] ? a : b);
export const rankOf = (level: Level): number => RANK[level];

/** Seconds. */
const LONGEST_WAIT: Rule = { better: "low", warning: 120, critical: 240 };
const AGENT: Record<string, Rule> = {
  busy: { better: "low", warning: 900, critical: 1200 },
  wrap_up: { better: "low", warning: 90, critical: 180 },
  lost: { better: "low", warning: -1, critical: 30 },
  "not_ready/break": { better: "low", warning: 1200, critical: 1800 },
  "not_ready/missed_offer": { better: "low", warning: -1, critical: 120 },
  "not_ready/rejected_offer": { better: "low", warning: -1, critical: 300 },
};
/** Below the queue's own target, in share. */
const SERVICE_WARNING = 0.05;
const SERVICE_CRITICAL = 0.3;

export const longestWaitRule = (): Rule => LONGEST_WAIT;

export function serviceRule(target: Queue["target"]): Rule | null {
  if (!target) return null;
  const warning = target.share - SERVICE_WARNING;
  return { better: "high", warning, critical: target.share - SERVICE_CRITICAL };
}

export function agentRule(agent: Agent): Rule | null {
  const key = agent.state === "not_ready" ? `not_ready/${agent.reason ?? ""}` : agent.state;
  return AGENT[key] ?? null;
}

/** The level of a figure as it stands, remembering nothing. */
export function level(x: number | null, rule: Rule | null, slack = 0): Level {
  if (x === null || rule === null) return "target";
  const past = (limit: number): boolean => {
    const margin = Math.abs(limit) * slack;
    return rule.better === "low" ? x > limit - margin : x < limit + margin;
  };
  if (past(rule.critical)) return "critical";
  return past(rule.warning) ? "warning" : "target";
}

/** Remembers levels by name, so that a figure that hovers about its limit does not flicker. */
export class Levels {
  private readonly held = new Map<string, { level: Level; at: number; start: unknown }>();

  /** `start` names what is measured (an agent's `since`): another one starts afresh. */
  of(
    name: string,
    x: number | null,
    rule: Rule | null,
    mono: number,
    start: unknown = null,
  ): Level {
    const fresh = level(x, rule);
    const before = this.held.get(name);
    if (
      before === undefined ||
      x === null ||
      before.start !== start ||
      rankOf(fresh) > rankOf(before.level)
    ) {
      this.held.set(name, { level: fresh, at: mono, start });
      return fresh;
    }
    if (fresh === before.level) return fresh;
    const kept = worse(fresh, level(x, rule, HYSTERESIS));
    if (mono - before.at < LEAST_MS || rankOf(kept) >= rankOf(before.level)) return before.level;
    this.held.set(name, { level: kept, at: mono, start });
    return kept;
  }

  /** Forgets what is no longer shown. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.held.keys()) if (!names.has(name)) this.held.delete(name);
  }
}
