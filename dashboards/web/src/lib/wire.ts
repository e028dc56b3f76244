// The shapes of the contract that this application reads: frames of the socket, the wallboard's
// data, problems. Only what is used is named; other members are let through untouched. What is
// done with a frame is not here (fold.ts, socket.ts).

export const SUBPROTOCOL = "atalaya.v1.json";

export type Presence =
  "ready" | "offered" | "busy" | "wrap_up" | "not_ready" | "lost" | "signed_out";

export interface Totals {
  waiting: number;
  active: number;
  signed_in: number;
  ready: number;
  offered: number;
  busy: number;
  wrap_up: number;
  not_ready: number;
  lost: number;
  offered_today: number;
  answered_today: number;
  abandoned_today: number;
  short_abandoned_today: number;
  service_level_today: number | null;
  service_level_15m?: number | null;
  service_level_1h?: number | null;
  longest_wait_since: string | null;
}

/** Where a figure becomes a warning and where critical; either may be missing. */
export interface Limits<T> {
  warning?: T | null;
  critical?: T | null;
}

/** As configured; empty where nothing is, absent from an older server. */
export interface Thresholds {
  longest_wait?: Limits<string> | null;
  waiting?: Limits<number> | null;
  service_level?: Limits<number> | null;
}

export interface Queue {
  name: string;
  short_name?: string;
  channel?: string;
  state: string;
  waiting: number;
  longest_wait_since: string | null;
  active: number;
  ready: number;
  service_level_today: number | null;
  service_level_15m: number | null;
  service_level_1h?: number | null;
  asa_today_s?: number | null;
  aht_today_s?: number | null;
  expected_wait_s?: number | null;
  thresholds?: Thresholds | null;
  target?: { share: number; within: string } | null;
}

export interface Agent {
  name: string;
  team: string;
  level: number;
  state: Presence;
  reason: string | null;
  since: string;
  queue: string | null;
  contact: string | null;
}

export interface Alert {
  id: string;
  severity: string;
  rule: string;
  text: string;
  subject: Record<string, string>;
  at: string;
}

export interface Requests {
  open: number;
  overdue: number;
  escalated: number;
}

export interface Wallboard {
  totals: Totals;
  queues: Record<string, Queue>;
  agents: Record<string, Agent>;
  requests?: Requests | null;
  alerts?: Alert[] | null;
}

export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
}

export interface Welcome {
  type: "welcome";
  epoch: string;
  clock: { at: string; rate: number };
  agent?: string | null;
}

export interface Snapshot {
  type: "snapshot";
  topic: string;
  epoch: string;
  seq: number;
  at: string;
  data: Wallboard;
}

export interface Delta {
  type: "delta";
  topic: string;
  from: number;
  seq: number;
  at: string;
  set: Record<string, unknown>;
  remove: string[];
}

export type ServerFrame =
  Welcome | Snapshot | Delta | { type: "ping" } | { type: "error"; problem: Problem };

export interface Resume {
  epoch: string;
  seq: number;
}

export type ClientFrame =
  { type: "subscribe"; topic: "wallboard"; resume?: Resume } | { type: "pong" };

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

const isInstant = (x: unknown): x is string =>
  typeof x === "string" && Number.isFinite(Date.parse(x));

const isWallboard = (x: unknown): boolean =>
  isObject(x) && isObject(x.totals) && isObject(x.queues) && isObject(x.agents);

function welcome(f: Record<string, unknown>): Welcome | null {
  const clock = f.clock;
  const good =
    typeof f.epoch === "string" &&
    isObject(clock) &&
    isInstant(clock.at) &&
    typeof clock.rate === "number";
  return good ? (f as unknown as Welcome) : null;
}

function snapshot(f: Record<string, unknown>): Snapshot | null {
  const good =
    typeof f.epoch === "string" &&
    typeof f.seq === "number" &&
    isInstant(f.at) &&
    isWallboard(f.data);
  return good ? (f as unknown as Snapshot) : null;
}

function delta(f: Record<string, unknown>): Delta | null {
  const set = f.set ?? {};
  const remove = f.remove ?? [];
  const good =
    typeof f.from === "number" &&
    typeof f.seq === "number" &&
    isInstant(f.at) &&
    isObject(set) &&
    Array.isArray(remove) &&
    remove.every((p) => typeof p === "string");
  return good ? ({ ...f, set, remove } as unknown as Delta) : null;
}

/** Reads one text frame; null for what is not understood, which is then passed over: a newer
 *  server may say more than this page knows. */
export function parseFrame(text: unknown): ServerFrame | null {
  if (typeof text !== "string") return null;
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(frame)) return null;
  switch (frame.type) {
    case "welcome":
      return welcome(frame);
    case "snapshot":
      return frame.topic === "wallboard" ? snapshot(frame) : null;
    case "delta":
      return frame.topic === "wallboard" ? delta(frame) : null;
    case "ping":
      return { type: "ping" };
    case "error":
      return { type: "error", problem: isObject(frame.problem) ? frame.problem : {} };
    default:
      return null;
  }
}
