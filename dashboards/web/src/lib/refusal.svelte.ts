// What the server refused, in words: what a profile may not is said as such, the rest with the
// server's own detail.
import type { Key } from "../i18n";
import { t } from "../i18n/locale.svelte";
import type { Answer } from "./api";

export function refusal(
  answer: Exclude<Answer<unknown>, { kind: "done" }>,
  forbidden: Key,
): string {
  if (answer.kind === "unreachable") return t("refused.unreachable");
  const { status, detail, title } = answer.problem;
  const said = detail ?? title ?? "";
  if (status === 403) return t(forbidden);
  if (status === 401) return t("refused.session");
  if (status === 404) return t("refused.gone");
  return t("refused.other", { detail: said });
}
