// Thresholds: when a figure is a warning and when it is critical, without flicker. A queue's own
// come on the wire as configured; those of agents and of the strip are the application's. How a
// level looks is not here.
import type { Agent, Limits, Queue, Wallboard } from "./wire";

export type Level = "target" | "warning" | "critical";

export interface Rule {
  better: "low" | "high";
  /** What is aimed at: beyond it nothing is raised, the figure only says so. */
  target?: number;
  warning: number | null;
  critical: number | null;
}

/** A raised level is left only past its limit by this share of it … */
const HYSTERESIS = 0.1;
/** … and no sooner than this after it was raised, milliseconds of wall time. */
export const LEAST_MS = 10_000;

const RANK: Record<Level, number> = { target: 0, warning: 1, critical: 2 };
export const worse = (a: Level, b: Level): Level => (RANK[a] >= RANK[b] ? a : b);
export const rankOf = (level: Level): number => RANK[level];

/** Seconds; for queues of a server that does not send thresholds, and for the whole centre. */
const LONGEST_WAIT: Rule = { better: "low", target: 60, warning: 120, critical: 240 };
const AGENT: Record<string, Rule> = {
  busy: { better: "low", warning: 900, critical: 1200 },
  wrap_up: { better: "low", warning: 90, critical: 180 },
  lost: { better: "low", warning: -1, critical: 30 },
  "not_ready/break": { better: "low", warning: 1200, critical: 1800 },
  "not_ready/missed_offer": { better: "low", warning: -1, critical: 120 },
  "not_ready/rejected_offer": { better: "low", warning: -1, critical: 300 },
};
/** Below the queue's own target, in share, where no threshold is sent. */
const SERVICE_WARNING = 0.05;
const SERVICE_CRITICAL = 0.3;

/** The strip's, of the whole centre: shares, people, contacts. */
const WAITING: Rule = { better: "low", target: 20, warning: 25, critical: 40 };
export const ABANDONMENT: Rule = { better: "low", target: 0.08, warning: 0.12, critical: 0.2 };
export const READY: Rule = { better: "high", target: 5, warning: 3, critical: 1 };
export const OCCUPANCY: Rule = { better: "low", target: 0.9, warning: 0.95, critical: 0.98 };
const SERVICE_TARGET = 0.8;

const UNIT_S: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration as configured (`"2m"`); null where it is none. */
export function seconds(duration: string | null | undefined): number | null {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration ?? "");
  return found === null ? null : Number(found[1]) * (UNIT_S[found[2] ?? ""] ?? 1);
}

function ruleOf<T>(
  better: Rule["better"],
  limits: Limits<T> | null | undefined,
  read: (x: T | null | undefined) => number | null,
): Rule | null {
  if (!limits) return null;
  return { better, warning: read(limits.warning), critical: read(limits.critical) };
}

const number = (x: number | null | undefined): number | null => x ?? null;

export function longestWaitRule(queue: Queue): Rule | null {
  if (queue.thresholds === undefined) return LONGEST_WAIT;
  return ruleOf("low", queue.thresholds?.longest_wait, seconds);
}

export const waitingRule = (queue: Queue): Rule | null =>
  ruleOf("low", queue.thresholds?.waiting, number);

export function serviceRule(queue: Queue): Rule | null {
  if (queue.thresholds !== undefined)
    return ruleOf("high", queue.thresholds?.service_level, number);
  const target = queue.target?.share;
  if (target === undefined) return null;
  const warning = target - SERVICE_WARNING;
  return { better: "high", target, warning, critical: target - SERVICE_CRITICAL };
}

/** The centre's: what the queues are said to bear, added up, if each says it. */
export function centreWaitingRule(data: Wallboard): Rule {
  const rules = Object.values(data.queues).map(waitingRule);
  const sum = (part: "warning" | "critical"): number | null =>
    rules.reduce<number | null>((n, rule) => {
      const limit = rule?.[part] ?? null;
      return n === null || limit === null ? null : n + limit;
    }, 0);
  const warning = sum("warning");
  const critical = sum("critical");
  if (rules.length === 0 || warning === null || critical === null) return WAITING;
  return { better: "low", target: warning, warning, critical };
}

/** The centre's: that of the queue which the longest wait stands in, if it has one. */
export function centreLongestRule(data: Wallboard): Rule {
  const since = data.totals.longest_wait_since;
  const found = Object.values(data.queues).find((q) => q.longest_wait_since === since);
  const rule = since === null || found === undefined ? null : longestWaitRule(found);
  return rule === null ? LONGEST_WAIT : { ...rule, target: LONGEST_WAIT.target ?? 0 };
}

/** What the centre aims at: the target that its queues share, or none of theirs. */
export function centreTarget(data: Wallboard): { share: number; within: string | null } {
  const all = Object.values(data.queues).flatMap((q) => (q.target ? [q.target] : []));
  const [first] = all;
  const share = first?.share ?? SERVICE_TARGET;
  if (first === undefined || all.some((x) => x.share !== share))
    return { share: SERVICE_TARGET, within: null };
  const within = all.every((x) => x.within === first.within) ? first.within : null;
  return { share, within };
}

export function centreServiceRule(data: Wallboard): Rule {
  const target = centreTarget(data).share;
  const critical = target - SERVICE_CRITICAL;
  return { better: "high", target, warning: target - SERVICE_WARNING, critical };
}

export function agentRule(agent: Agent): Rule | null {
  const key = agent.state === "not_ready" ? `not_ready/${agent.reason ?? ""}` : agent.state;
  return AGENT[key] ?? null;
}

/** Whether a figure is where it should be; null where nothing is measured or aimed at. */
export function met(x: number | null, rule: Rule | null): boolean | null {
  if (x === null || rule?.target === undefined) return null;
  return rule.better === "low" ? x <= rule.target : x >= rule.target;
}

/** The level of a figure as it stands, remembering nothing. */
export function level(x: number | null, rule: Rule | null, slack = 0): Level {
  if (x === null || rule === null) return "target";
  const past = (limit: number | null): boolean => {
    if (limit === null) return false;
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
      rule === null ||
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
