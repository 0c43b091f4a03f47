// The response of a recorded run that has ended, as far as it is known.
import { toRepresentation } from "../../api/representation.ts";
import { findMember, parseValue } from "../../lib/json-scan.ts";
import { sleep } from "../../lib/retry.ts";
import { toSentence } from "../../lib/sentence.ts";
import { readFirstResponse } from "../../objects/connection/client.ts";
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
    return toFailed(known, items, await readBegin(env, known));
  }
  return { status, response, items, changes: toBreak(known, response) };
}

// OpenAI cancels a foreground run whose connection ends, and gives no reason.
function toBreak({ status, held }: StoredRecord, response: Uint8Array): EndedResponse["changes"] {
  const brokeAt = held?.broke_at ?? null;
  const isExplained = (parseValue(findMember(response, "error")) ?? null) !== null;
  if (status !== "cancelled" || brokeAt === null || isExplained) return {};
  return { error: toError(`The recorder's connection to OpenAI ended at ${brokeAt}.`) };
}

// No response object with an end is stored.
function toFailed(known: StoredRecord, items: Uint8Array[], response: Uint8Array): EndedResponse {
  const error = toError(`${whyFailed(known)} GET /results/${known.id} has what is known.`);
  return { status: "failed", response, items, changes: { status: "failed", error } };
}

function whyFailed({ error, held }: StoredRecord): string {
  if (error !== null) return toSentence(error.message);
  const brokeAt = held?.broke_at ?? null;
  const end = "OpenAI did not show the end of this response";
  return brokeAt === null ? `${end}.` : `${end}, and the connection to it ended at ${brokeAt}.`;
}

function toError(message: string): { code: string; message: string } {
  return { code: "server_error", message };
}

// The response as it was created; what the record has of it when that is not kept any more.
async function readBegin(env: Env, known: StoredRecord): Promise<Uint8Array> {
  const { connection, id, model, metadata, created_at } = known;
  const first = connection === null ? null : await readFirstResponse(env, connection.id);
  if (first !== null) return first;
  const created = created_at === null ? null : Math.floor(Date.parse(created_at) / 1000);
  const object = { id, object: "response", created_at: created, model, metadata, usage: null };
  return encoder.encode(
    JSON.stringify({ ...object, completed_at: null, incomplete_details: null }),
  );
}
