// Requests to the Worker on this machine, with its access token.
import { ResponseRecord } from "../../src/record/schema.ts";
import type { LocalStack } from "../local-stack.ts";

/**
 * Sends the Worker a request; gives the JSON of its answer.
 * @param body Sent as JSON by POST; without it the request is a GET.
 * @throws When the Worker refuses. The message is its answer.
 */
export async function callWorker(
  stack: LocalStack,
  path: string,
  body?: Record<string, unknown>,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${stack.token}`, "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${stack.url}${path}`, { ...init, headers });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** Reads a run's record; waits up to `waitSeconds` until it is stored. */
export async function fetchRecord(
  stack: LocalStack,
  id: string,
  waitSeconds: number,
): Promise<ResponseRecord> {
  return ResponseRecord.parse(await callWorker(stack, `/results/${id}?wait=${waitSeconds}`));
}
