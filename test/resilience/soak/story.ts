// The whole story of one response: what was planned, what the API saw and sent, what was kept, what the Worker said.
import type { Evidence } from "./evidence.ts";

/** Characters of a line that are shown: a body can have megabytes. */
const WIDTH = 1_500;

/** Tells it, in the order in which it happened. */
export function storyOf(evidence: Evidence, number: number): string[] {
  const { told, ledger, deliveries, found, log } = evidence;
  const mark = String(number);
  const ids = told.runs.filter((run) => run.metadata["soak"] === mark).map((run) => run.id);
  const named = ledger.entries.get(number)?.id ?? null;
  if (named !== null && !ids.includes(named)) ids.push(named);
  const concerns = (text: string) => ids.some((one) => text.includes(one));
  const happened = [
    ...told.requests
      .filter(({ path, body }) => concerns(path) || mentions(body, mark))
      .map(({ at, method, path, status, fault, request_id }) => {
        return `${at}  API       ${method} ${path} → ${status} ${fault ?? ""} ${request_id}`;
      }),
    ...deliveries
      .filter((delivery) => concerns(delivery.id))
      .map(({ at, signed, attempt, status, webhookId }) => {
        return `${at}  webhook   ${webhookId}, signed ${signed}, attempt ${attempt} → ${status}`;
      }),
  ];
  return [
    `planned   ${JSON.stringify(ledger.entries.get(number))}`,
    ...told.runs.filter((run) => concerns(run.id)).map((run) => `happened  ${JSON.stringify(run)}`),
    ...happened.toSorted(),
    ...ids.map((id) => {
      return `recorded  ${JSON.stringify({ ...found.get(id)?.record, response: "…" })}`;
    }),
    ...log
      .split("\n")
      .filter(concerns)
      .map((line) => `log       ${line}`),
  ].map((line) => (line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line));
}

function mentions(body: unknown, number: string): boolean {
  return JSON.stringify(body ?? "").includes(`"soak":"${number}"`);
}
