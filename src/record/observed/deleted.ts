// Whether OpenAI has deleted its copy of a response. Pure.
import { isTerminal } from "../reducer.ts";
import type { ResponseRecord } from "../schema.ts";

/** For half a minute after its end OpenAI can answer 404 for a response that it has. */
const MAX_HIDDEN_MS = 60_000;

/** Whether the last refetch was answered with 404, though the response's end was seen before. */
export function isDeletedAtOpenAI({ observations }: Pick<ResponseRecord, "observations">): boolean {
  const seen = observations.find(
    ({ channel, status }) => channel !== "control" && isTerminal(status),
  );
  const last = observations.findLast(({ channel }) => channel === "refetch");
  if (seen === undefined || last?.http_status !== 404) return false;
  // A refetch had shown the response, so it was not hidden any more.
  return seen.channel === "refetch" || Date.parse(last.at) - Date.parse(seen.at) > MAX_HIDDEN_MS;
}
