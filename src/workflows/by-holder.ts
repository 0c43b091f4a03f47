// An observation by the channel `held`: what the Holder of this response's connection left.
import { observeBody, observeItems, toSeenCalls } from "../openai/observe.ts";
import type { Observed } from "../openai/observed.ts";
import { parseCalls } from "../openai/response.ts";
import { BREAK_UNKNOWN, type StoredRecord } from "../record/schema.ts";
import { askHolder } from "./holding.ts";

/** Reads only from the engine: a failure is the engine's, and the step is retried. */
export async function observeByHolder(env: Env, record: StoredRecord): Promise<Observed> {
  const held = await askHolder(env, record.holder);
  const observed = await readHeld(held);
  if (held === null) return observed;
  const observation = { ...observed.result.observation, at: held.at };
  return { ...observed, result: { ...observed.result, observation } };
}

async function readHeld(held: Awaited<ReturnType<typeof askHolder>>): Promise<Observed> {
  const source = {
    channel: "held",
    httpStatus: held?.http_status ?? null,
    requestId: held?.request_id ?? null,
  } as const;
  if (held === null || held.response === null) {
    const observed = observeItems(source, held?.calls ?? [], held?.status ?? null);
    const error = observed.result.error ?? held?.error ?? null;
    const broke_at = held?.broke_at ?? BREAK_UNKNOWN;
    return { ...observed, result: { ...observed.result, error, broke_at } };
  }
  const observed = await observeBody(source, held.response);
  return held.calls.length === 0 ? observed : completed(observed, held.calls);
}

// Outputs that came with their call, and that the response lacks.
function completed(observed: Observed, items: unknown[]): Observed {
  const spare = new Map(parseCalls(items).map((call) => [call.id, call]));
  const calls = (observed.result.calls ?? []).map((call) => spare.get(call.id) ?? call);
  const observation = { ...observed.result.observation, calls: toSeenCalls(calls) };
  return { ...observed, result: { ...observed.result, calls, observation }, outputs: () => items };
}
