// An invented centre for the mock server: ten queues and some 160 agents in seven teams, always
// the same ones. Figures and people are made up; the shapes are the wallboard's.
import type { Agent, Presence, Queue, Totals, Wallboard } from "../src/lib/wire";

/** id, name, waiting, oldest wait in s, active, ready, level today, level of 15 min, state. */
type Line = [string, string, number, number | null, number, number, number, number | null, string];

const QUEUES: Line[] = [
  ["informacion_pensiones", "Información de pensiones", 3, 48, 26, 0, 0.76, 0.77, "open"],
  ["informacion_subsidios", "Información de subsidios", 2, 22, 16, 0, 0.84, 0.86, "open"],
  ["tramites_subsidios", "Trámites de subsidios", 0, null, 6, 3, 0.89, 0.92, "open"],
  ["tramites_pensiones", "Trámites de pensiones", 7, 252, 9, 0, 0.47, 0.41, "open"],
  ["variaciones", "Variaciones", 0, null, 4, 4, 0.91, 0.9, "open"],
  ["cuantias", "Cuantías", 1, 9, 8, 0, 0.86, 0.88, "open"],
  [
    "asistencia_sanitaria",
    "Asistencia sanitaria, seguro escolar y síndrome tóxico",
    4,
    154,
    8,
    0,
    0.69,
    0.72,
    "open",
  ],
  ["certificados", "Certificados", 0, null, 1, 0, 0.93, null, "closed"],
  ["otros", "Otros", 2, 31, 13, 0, 0.78, 0.81, "open"],
  ["sin_clasificar", "Sin clasificar", 0, null, 1, 5, 1, null, "emergency_closed"],
];

const FIRST =
  "Ana Luis Carmen Javier Montserrat Iker Nerea Xoán Pilar Jordi Lucía Andrés Amaia Rosa Begoña Sergi Uxía Teresa Óscar Marta Íñigo Elena Pau Inés Rubén Aitor Núria Brais Sonia".split(
    " ",
  );
const LAST =
  "García Muñoz Fernández Ibáñez Rovira Etxeberria López Castro Núñez Puig Sánchez Vidal Zubiri Romero Domínguez Prieto Serra Rey Peña Gil Ortega Agirre Molina Ferrer Cano Herrero Vega".split(
    " ",
  );
const TEAMS: [string, number, number][] = [
  ["morning-1", 24, 1],
  ["morning-2", 24, 1],
  ["morning-3", 24, 1],
  ["morning-4", 24, 1],
  ["morning-5", 24, 1],
  ["level-2", 22, 2],
  ["afternoon-1", 18, 1],
];

type Shape = [Presence, string | null, number];
const SPECIAL: Record<number, Shape> = {
  0: ["offered", null, 6],
  3: ["not_ready", "break", 412],
  5: ["wrap_up", null, 12],
  8: ["wrap_up", null, 196],
  12: ["not_ready", "rejected_offer", 71],
  17: ["wrap_up", null, 44],
  19: ["ready", null, 14],
  29: ["busy", null, 1471],
  31: ["ready", null, 8],
  34: ["not_ready", "break", 1502],
  40: ["not_ready", "training", 2710],
  47: ["not_ready", "missed_offer", 152],
  63: ["offered", null, 11],
  68: ["busy", null, 1214],
  70: ["ready", null, 41],
  83: ["lost", null, 41],
  95: ["ready", null, 95],
  105: ["lost", null, 19],
  119: ["not_ready", "meeting", 1260],
  127: ["ready", null, 33],
};

const round = (x: number): number => Math.round(x * 1000) / 1000;

function agents(ago: (s: number) => string): Record<string, Agent> {
  const made: Record<string, Agent> = {};
  let k = 0;
  for (const [team, size, level] of TEAMS) {
    for (let i = 0; i < size; i += 1, k += 1) {
      const last = (k * 7 + Math.floor(k / FIRST.length)) % LAST.length;
      const [state, reason, seconds] = SPECIAL[k] ?? ["busy", null, 8 + ((k * 97) % 760)];
      const queue = QUEUES[(k * 3) % QUEUES.length]?.[0] ?? null;
      const working = state === "busy" || state === "offered" || state === "wrap_up";
      made[`agent.${String(k).padStart(3, "0")}`] = {
        name: `${FIRST[k % FIRST.length] ?? ""} ${LAST[last] ?? ""}`,
        team,
        level,
        state,
        reason,
        since: ago(seconds),
        queue: working ? queue : null,
        contact: working ? `0199-${k}` : null,
      };
    }
  }
  return made;
}

const COUNTERS = [
  "offered",
  "answered",
  "abandoned",
  "short_abandoned",
  "refused",
  "overflowed_out",
  "transferred_out",
  "callbacks",
];

/** A queue's counts over each window, in proportion to how much goes on in it. */
function counts(size: number): Record<string, number> {
  const share = [40, 34, 4, 1, 0, 1, 0, 1];
  const windows: [string, number][] = [
    ["15m", 0.05],
    ["1h", 0.2],
    ["today", 1],
  ];
  const made: Record<string, number> = {};
  for (const [window, part] of windows) {
    COUNTERS.forEach((name, i) => {
      made[`${name}_${window}`] = Math.round((share[i] ?? 0) * size * part * 0.5);
    });
  }
  return made;
}

function queues(ago: (s: number) => string): Record<string, Queue> {
  const line = ([id, name, waiting, oldest, active, ready, today, recent, state]: Line) => {
    const queue: Queue = {
      name,
      channel: id === "sin_clasificar" ? "chat" : "voice",
      state,
      waiting,
      longest_wait_since: oldest === null ? null : ago(oldest),
      active,
      ready,
      service_level_today: today,
      service_level_15m: recent,
      service_level_1h: recent === null ? null : round(recent - 0.02),
      asa_today_s: 21.4,
      aht_today_s: 402.9,
      thresholds: {
        longest_wait: { warning: "2m", critical: "4m" },
        waiting: { warning: 10, critical: 20 },
        service_level: { warning: 0.75, critical: 0.5 },
      },
      ...counts(active),
      target: { share: 0.8, within: "20s" },
    };
    return [id, queue] as const;
  };
  return Object.fromEntries(QUEUES.map(line));
}

/** The sliding windows of the totals: what the queues have, added up. */
function sliding(sum: (f: (x: Queue) => number) => number): Record<string, number> {
  const made: Record<string, number> = {};
  for (const window of ["15m", "1h"])
    for (const name of COUNTERS) {
      const key = `${name}_${window}`;
      made[key] = sum((x) => Number((x as unknown as Record<string, unknown>)[key] ?? 0));
    }
  return made;
}

function totals(q: Record<string, Queue>, a: Record<string, Agent>): Totals {
  const is = (s: Presence) => Object.values(a).filter((x) => x.state === s).length;
  const sum = (f: (x: Queue) => number) => Object.values(q).reduce((n, x) => n + f(x), 0);
  const waits = Object.values(q).flatMap((x) => x.longest_wait_since ?? []);
  return {
    waiting: sum((x) => x.waiting),
    active: sum((x) => x.active),
    signed_in: Object.keys(a).length,
    ready: is("ready"),
    offered: is("offered"),
    busy: is("busy"),
    wrap_up: is("wrap_up"),
    not_ready: is("not_ready"),
    lost: is("lost"),
    offered_today: 1649,
    answered_today: 1482,
    abandoned_today: 122,
    short_abandoned_today: 13,
    ...sliding(sum),
    service_level_today: round(0.782),
    service_level_15m: round(0.741),
    service_level_1h: round(0.766),
    longest_wait_since: waits.sort()[0] ?? null,
  };
}

/** The wallboard as it stands at `now`, milliseconds since the Unix epoch. */
export function centre(now: number): Wallboard {
  const ago = (s: number) => new Date(now - s * 1000).toISOString();
  const q = queues(ago);
  const a = agents(ago);
  const alerts = [
    {
      id: "quarantined:agent:agent.083",
      severity: "critical",
      rule: "quarantined",
      text: "agent:agent.083 is out of service: a fault",
      subject: { entity: "agent:agent.083" },
      at: ago(41),
    },
  ];
  const rest = { requests: { open: 310, overdue: 4, escalated: 2 }, alerts };
  return { totals: totals(q, a), queues: q, agents: a, ...rest };
}
