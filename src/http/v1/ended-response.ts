// The response of a recorded run that has ended, as far as it is known.
import { breakError, toLostResponse } from "../../api/answers/lost-response.ts";
import { toRepresentation } from "../../api/answers/representation.ts";
import { findMember, parseValue } from "../../lib/json-scan.ts";
import { sleep } from "../../lib/retry.ts";
import { findRun, readRun, readRunOutputs, type Found } from "../../objects/recorder/client.ts";
import { isTerminal } from "../../record/reducer.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";
import type { EndedResponse } from "./made-replay.ts";

/** Seconds that a Recorder is asked to wait at once. */
const WAIT_SECONDS = 60;
/** Milliseconds between calls while a run's Connection was not read yet. */
const POLL_MS = 500;

const encoder = new TextEncoder();

/** Whether a run counts as in flight. A refetch can see the end before the connection's outputs are recorded: until then clients go on polling. */
export function isInFlight(known: StoredRecord): boolean {
  return known.verdict === "pending" || known.connection_due;
}

/**
 * Waits for a run's end, and reads its response.
 * @returns Null when nothing is recorded under this id, or not any more.
 */
export async function awaitEndedResponse(env: Env, id: string): Promise<EndedResponse | null> {
  for (;;) {
    const found = await findRun(env, id, { waitSeconds: WAIT_SECONDS, until: "readable" });
    if (found === null) return null;
    if (!isInFlight(found.known)) return readRun(env, id, async (run) => toEnded(env, run));
    await sleep(POLL_MS);
  }
}

async function toEnded(env: Env, { known, openBody }: Found): Promise<EndedResponse> {
  const readOutputs = (channel: Channel) => readRunOutputs(env, known.id, channel);
  const { response, items } = await toRepresentation(known, await openBody(), readOutputs);
  const { status } = known;
  if (response === null || status === null || !isTerminal(status)) {
    const lost = encoder.encode(JSON.stringify(toLostResponse(known)));
    return { status: "failed", response: lost, items, changes: {} };
  }
  return { status, response, items, changes: known.held ? heldChanges(known, response) : {} };
}

/** What a held run's caller sees in place of the stored members: `background: true`, as the caller sent it, and where a connection broke that cost the run its end. */
export function heldChanges(known: StoredRecord, response: Uint8Array): EndedResponse["changes"] {
  const error = known.status === "completed" ? null : breakError(known);
  const isNamed = (parseValue(findMember(response, "error")) ?? null) !== null;
  return { background: true, ...(error === null || isNamed ? {} : { error }) };
}
