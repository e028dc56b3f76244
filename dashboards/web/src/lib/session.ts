// Signing in and out, and the one question whether a session stands. The session's own cookie is
// hidden from scripts; the readable one beside it holds what a write must send back.
import { SUBPROTOCOL, type Problem } from "./wire";
import type { Host, SocketLike, Standing } from "./socket";

const CSRF_COOKIES = ["__Host-atalaya-csrf", "atalaya-csrf"];

/** The value to send in `Atalaya-Csrf`; null where there is no session. */
export function csrfOf(cookies: string): string | null {
  for (const part of cookies.split("; ")) {
    const at = part.indexOf("=");
    if (at > 0 && CSRF_COOKIES.includes(part.slice(0, at))) return part.slice(at + 1);
  }
  return null;
}

export type Outcome =
  { kind: "done" } | { kind: "refused"; problem: Problem } | { kind: "unreachable" };

async function ask(path: string, init: RequestInit): Promise<Outcome> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "same-origin", cache: "no-store" });
  } catch {
    return { kind: "unreachable" };
  }
  if (response.ok) return { kind: "done" };
  const problem = (await response.json().catch(() => ({}))) as Problem;
  return { kind: "refused", problem: { ...problem, status: response.status } };
}

export const signIn = (token: string): Promise<Outcome> =>
  ask("/api/v1/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });

/** A session that is already gone is as good as ended. */
export async function signOut(): Promise<Outcome> {
  const headers = { "Atalaya-Csrf": csrfOf(document.cookie) ?? "" };
  const outcome = await ask("/api/v1/sessions/current", { method: "DELETE", headers });
  return outcome.kind === "refused" && outcome.problem.status === 401 ? { kind: "done" } : outcome;
}

async function learn(): Promise<Standing> {
  const outcome = await ask("/api/v1/wallboard", {});
  if (outcome.kind === "done") return "signed_in";
  return outcome.kind === "refused" && outcome.problem.status === 401 ? "signed_out" : "unknown";
}

/** The browser as a connection's host. */
export const browserHost = (): Host => ({
  dial: () => {
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    return new WebSocket(url, SUBPROTOCOL) as unknown as SocketLike;
  },
  now: () => performance.now(),
  random: () => Math.random(),
  after: (ms, run) => {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
  learn,
});
