// Signing in and out, and the one question whether a session stands. The session's own cookie is
// hidden from scripts; the readable one beside it holds what a write must send back.
import { ask, type Answer } from "./api";
import { SUBPROTOCOL } from "./wire";
import type { Host, SocketLike, Standing } from "./socket";

export { csrfOf } from "./api";

export const signIn = (token: string): Promise<Answer<unknown>> =>
  ask("POST", "/sessions", { token });

/** A session that is already gone is as good as ended. */
export async function signOut(): Promise<Answer<unknown>> {
  const answer = await ask("DELETE", "/sessions/current");
  const gone = answer.kind === "refused" && answer.problem.status === 401;
  return gone ? { kind: "done", value: null } : answer;
}

async function learn(): Promise<Standing> {
  const answer = await ask("GET", "/wallboard");
  if (answer.kind === "done") return "signed_in";
  return answer.kind === "refused" && answer.problem.status === 401 ? "signed_out" : "unknown";
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
