// The level of everything on the board at one instant, reckoned once a tick so that strip, tiles,
// grid and rail never differ about it. What a level is: levels.ts; how it looks: components.
import { occupancy } from "./board";
import { abandonment, serviceLevel, type Window } from "./figures";
import { secondsSince } from "./formats";
import {
  ABANDONMENT,
  agentRule,
  centreLongestRule,
  centreServiceRule,
  centreWaitingRule,
  longestWaitRule,
  OCCUPANCY,
  READY,
  serviceRule,
  waitingRule,
  worse,
  type Level,
  type Levels,
  type Rule,
} from "./levels";
import type { Agent, Queue, Wallboard } from "./wire";

export interface Judged {
  value: number | null;
  rule: Rule | null;
  level: Level;
}

export interface QueueJudged {
  waiting: Judged;
  wait: Judged;
  service: Judged;
  level: Level;
}

export interface Verdict {
  strip: Record<"waiting" | "wait" | "service" | "abandonment" | "ready" | "occupancy", Judged>;
  queues: ReadonlyMap<string, QueueJudged>;
  agents: ReadonlyMap<string, Level>;
}

export interface Instant {
  /** The centre's, that ages are reckoned at. */
  now: number;
  /** The page's own. */
  mono: number;
}

export function judge(data: Wallboard, levels: Levels, at: Instant, window: Window): Verdict {
  const names = new Set<string>();
  const of = (name: string, value: number | null, rule: Rule | null, start?: unknown): Judged => {
    names.add(name);
    return { value, rule, level: levels.of(name, value, rule, at.mono, start ?? null) };
  };
  const queue = ([id, q]: [string, Queue]): [string, QueueJudged] => {
    const waiting = of(`queue/${id}/waiting`, q.waiting, waitingRule(q));
    const since = secondsSince(q.longest_wait_since, at.now);
    const wait = of(`queue/${id}/wait`, since, longestWaitRule(q));
    const service = of(`queue/${id}/service`, q.service_level_15m, serviceRule(q));
    const level = worse(worse(waiting.level, wait.level), service.level);
    return [id, { waiting, wait, service, level }];
  };
  const agent = ([id, a]: [string, Agent]): [string, Level] => {
    const age = secondsSince(a.since, at.now);
    return [id, of(`agent/${id}`, age, agentRule(a), `${a.state} ${a.since}`).level];
  };
  const { totals } = data;
  const wait = secondsSince(totals.longest_wait_since, at.now);
  const service = serviceLevel(totals, window) ?? null;
  const left = abandonment(totals, window) ?? null;
  // Another window is another figure: its level starts afresh.
  const verdict: Verdict = {
    strip: {
      waiting: of("totals/waiting", totals.waiting, centreWaitingRule(data)),
      wait: of("totals/wait", wait, centreLongestRule(data)),
      service: of("totals/service", service, centreServiceRule(data), window),
      abandonment: of("totals/abandonment", left, ABANDONMENT, window),
      ready: of("totals/ready", totals.signed_in === 0 ? null : totals.ready, READY),
      occupancy: of("totals/occupancy", occupancy(totals), OCCUPANCY),
    },
    queues: new Map(Object.entries(data.queues).map(queue)),
    agents: new Map(Object.entries(data.agents).map(agent)),
  };
  levels.keep(names);
  return verdict;
}
