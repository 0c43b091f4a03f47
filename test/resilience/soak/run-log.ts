// The log of one response: its plan, the requests and webhooks, the record, and the lines of the Worker's log.
import type { Evidence } from "./evidence.ts";

/** Longer lines are cut: a body can have megabytes. */
const MAX_LINE_CHARACTERS = 1_500;

/** Returns the lines in the order in which things happened. */
export function formatRunLog(evidence: Evidence, number: number): string[] {
  const { emulator, acknowledgements, deliveries, stored, log } = evidence;
  const mark = String(number);
  const ids = emulator.runs.filter((run) => run.metadata["soak"] === mark).map((run) => run.id);
  const named = acknowledgements.entries.get(number)?.id ?? null;
  if (named !== null && !ids.includes(named)) ids.push(named);
  const concerns = (text: string) => ids.some((one) => text.includes(one));
  const happened = [
    ...emulator.requests
      .filter(({ path, body }) => concerns(path) || mentions(body, mark))
      .map(({ at, method, path, status, fault, request_id }) => {
        return `${at}  API       ${method} ${path} → ${status} ${fault ?? ""} ${request_id}`;
      }),
    ...deliveries
      .filter((delivery) => concerns(delivery.id))
      .map(({ at, signature, attempt, status, webhookId }) => {
        return `${at}  webhook   ${webhookId}, signed ${signature}, attempt ${attempt} → ${status}`;
      }),
  ];
  return [
    `planned   ${JSON.stringify(acknowledgements.entries.get(number))}`,
    ...emulator.runs
      .filter((run) => concerns(run.id))
      .map((run) => `happened  ${JSON.stringify(run)}`),
    ...happened.toSorted(),
    ...ids.map((id) => {
      return `recorded  ${JSON.stringify({ ...stored.get(id)?.record, response: "…" })}`;
    }),
    ...log
      .split("\n")
      .filter(concerns)
      .map((line) => `log       ${line}`),
  ].map((line) =>
    line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line,
  );
}

function mentions(body: unknown, number: string): boolean {
  return JSON.stringify(body ?? "").includes(`"soak":"${number}"`);
}
