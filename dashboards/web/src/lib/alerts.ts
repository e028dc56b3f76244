// What the rail lists: the server's alerts, and what on the board is past its threshold. The worst
// first, then the oldest; words are keys, so that no language is chosen here.
import { isKey, type Key, type Params } from "../i18n";
import type { QueueJudged, Verdict } from "./judge";
import { rankOf, type Level } from "./levels";
import type { Alert, Queue, Wallboard } from "./wire";

export interface Notice {
  id: string;
  level: Level | "info";
  /** What it is about: a name, and where a press leads. */
  subject: string;
  queue: string | null;
  agent: string | null;
  /** In words of the page; null: the server's own text. */
  key: Key | null;
  params: Params;
  text: string;
  /** Seconds; null where nobody measured. */
  age: number | null;
}

/** Notices that the rail shows before it is unfolded: as high as two rows of queues. */
export const NOTICES_MAX = 4;

const rank = (n: Notice): number => (n.level === "info" ? -1 : rankOf(n.level));

const severity = (alert: Alert): Notice["level"] =>
  alert.severity === "critical" || alert.severity === "warning" ? alert.severity : "info";

/** `agent:ana` of a subject `{"entity":"agent:ana"}`, or its `{"agent":"ana"}`. */
function part(alert: Alert, kind: "agent" | "queue"): string | null {
  const direct = alert.subject[kind];
  if (direct !== undefined) return direct;
  const entity = alert.subject.entity ?? "";
  return entity.startsWith(`${kind}:`) ? entity.slice(kind.length + 1) : null;
}

function told(data: Wallboard, alert: Alert, now: number): Notice {
  const queue = part(alert, "queue");
  const agent = part(alert, "agent");
  const name =
    (queue === null ? undefined : data.queues[queue]?.name) ??
    (agent === null ? undefined : data.agents[agent]?.name);
  const key = `alert.${alert.rule}`;
  return {
    id: alert.id,
    level: severity(alert),
    subject: name ?? Object.values(alert.subject)[0] ?? alert.rule,
    queue: queue !== null && data.queues[queue] !== undefined ? queue : null,
    agent: agent !== null && data.agents[agent] !== undefined ? agent : null,
    key: isKey(key) ? key : null,
    params: {},
    text: alert.text,
    age: Math.max(0, Math.floor((now - Date.parse(alert.at)) / 1000)),
  };
}

function ofQueue(id: string, queue: Queue, verdict: QueueJudged): Notice[] {
  const made = (name: "waiting" | "wait" | "service", age: number | null): Notice[] => {
    const { level, rule, value } = verdict[name];
    if (level === "target" || rule === null || value === null) return [];
    const limit = level === "critical" ? rule.critical : rule.warning;
    const key: Key = `alert.over_${name}`;
    const params = { value, limit: limit ?? value };
    const agent = null;
    return [
      { id: `${id}/${name}`, level, subject: queue.name, queue: id, agent, key, params, text: "", age },
    ];
  };
  const { level, rule, value } = verdict.wait;
  const limit = (level === "critical" ? rule?.critical : rule?.warning) ?? null;
  const over = limit === null || value === null ? null : Math.max(0, Math.floor(value - limit));
  return [...made("wait", over), ...made("waiting", null), ...made("service", null)];
}

/** All of it; the server's come first among equals. */
export function notices(data: Wallboard, verdict: Verdict, now: number): Notice[] {
  const sent = (data.alerts ?? []).map((alert) => told(data, alert, now));
  const queues = Object.entries(data.queues).flatMap(([id, queue]) => {
    const judged = verdict.queues.get(id);
    return judged === undefined ? [] : ofQueue(id, queue, judged);
  });
  return [...sent, ...queues].sort((a, b) => rank(b) - rank(a) || (b.age ?? 0) - (a.age ?? 0));
}
