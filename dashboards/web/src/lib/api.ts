// One request to the server and what came of it: the value, the refusal in the server's words, or
// no answer. Nothing here is asked by itself: each call is a person's click or the page's opening.
import type { Problem } from "./wire";

const PREFIX = "/api/v1";
const CSRF_COOKIES = ["__Host-atalaya-csrf", "atalaya-csrf"];
/** Longest wait for an answer, milliseconds; then it counts as none. */
const PATIENCE_MS = 15_000;

export type Answer<T> =
  | { kind: "done"; value: T }
  | { kind: "refused"; problem: Problem }
  | { kind: "unreachable" };

/** The value to send in `Atalaya-Csrf`; null where there is no session. */
export function csrfOf(cookies: string): string | null {
  for (const part of cookies.split("; ")) {
    const at = part.indexOf("=");
    if (at > 0 && CSRF_COOKIES.includes(part.slice(0, at))) return part.slice(at + 1);
  }
  return null;
}

export async function ask<T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<Answer<T>> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const csrf = method === "GET" ? null : csrfOf(document.cookie);
  if (csrf !== null) headers["Atalaya-Csrf"] = csrf;
  let response: Response;
  try {
    response = await fetch(PREFIX + path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const value: unknown = response.status === 204 ? null : await response.json();
    if (response.ok) return { kind: "done", value: value as T };
    return { kind: "refused", problem: { ...(value as Problem), status: response.status } };
  } catch (e) {
    // An answer that is no JSON is a refusal without words, not silence.
    if (e instanceof SyntaxError) return { kind: "refused", problem: {} };
    return { kind: "unreachable" };
  }
}

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

const query = (parts: Record<string, string | number | null>): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts))
    if (value !== null) search.set(name, String(value));
  return search.toString();
};

/** Contacts of one page of a list behind a figure. */
export const CONTACTS_PER_PAGE = 50;

export interface Contact {
  id: string;
  channel: string;
  queue: string;
  state: string;
  from: string | null;
  arrived_at: string;
  queued_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  agent: string | null;
}

export const contactsBehind = (
  figure: string,
  cursor: string | null,
): Promise<Answer<Page<Contact>>> =>
  ask("GET", `/contacts?${query({ counted_in: figure, limit: CONTACTS_PER_PAGE, cursor })}`);

export const contact = (id: string): Promise<Answer<Contact>> =>
  ask("GET", `/contacts/${encodeURIComponent(id)}`);

export interface Explanation {
  state: string;
  order: { position: number; of: number } | null;
  rules: { rule: string; stops: number; left: number }[];
  nearest: { agent: string; rule: string; detail: string; able_at: string | null }[];
  decision: { at: string; agent: string; candidates: number; why: string } | null;
}

export const explain = (id: string): Promise<Answer<Explanation>> =>
  ask("GET", `/contacts/${encodeURIComponent(id)}/explain`);

/** An agent as the roster has it: also those who are signed out. */
export interface Profile {
  id: string;
  name: string;
  team: string;
  level: number;
  languages?: string[];
  skills?: Record<string, number>;
  state: string;
  reason: string | null;
  since: string | null;
  pending?: { state: string; reason?: string | null } | null;
  work?: { contact: string; state: string; since: string }[];
}

export const profile = (id: string): Promise<Answer<Profile>> =>
  ask("GET", `/agents/${encodeURIComponent(id)}`);

/** Most pages of the roster read at opening: 4,000 people. */
const ROSTER_PAGES_MAX = 8;

/** Everybody, signed in or not; empty where the server does not say. */
export async function roster(): Promise<Profile[]> {
  const all: Profile[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < ROSTER_PAGES_MAX; page += 1) {
    const path: string = `/agents?${query({ limit: 500, cursor })}`;
    const answer: Answer<Page<Profile>> = await ask("GET", path);
    if (answer.kind !== "done" || !Array.isArray(answer.value.items)) return all;
    all.push(...answer.value.items);
    cursor = answer.value.next_cursor;
    if (cursor === null) return all;
  }
  return all;
}

export const force = (
  id: string,
  state: string,
  reason: string | null,
  why: string,
): Promise<Answer<unknown>> =>
  ask("POST", `/agents/${encodeURIComponent(id)}/presence`, {
    state,
    ...(reason === null ? {} : { reason }),
    force: true,
    why,
  });

/** One row of the day's quarter hours. */
export interface Interval {
  from: string;
  queue: string;
  offered: number;
  answered: number;
  answered_within: number;
  abandoned: number;
  short_abandoned: number;
  longest_wait_s: number | null;
}

export async function intervals(): Promise<Interval[]> {
  const answer = await ask<Page<Interval>>("GET", "/reports/intervals?by=15m");
  return answer.kind === "done" && Array.isArray(answer.value.items) ? answer.value.items : [];
}
