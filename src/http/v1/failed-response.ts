// A run that was given up, as a response of OpenAI's that failed.
import { toItemArray } from "../../api/output-items.ts";
import {
  encodePieces,
  openObject,
  toRepresentation,
  type ReadOutputs,
} from "../../api/representation.ts";
import type { StoredRecord } from "../../record/schema.ts";
import type { givenUpVerdict } from "../../record/verdict.ts";

type GivenUp = NonNullable<ReturnType<typeof givenUpVerdict>>;

const REASONS: Record<GivenUp, string> = {
  gone: "OpenAI started this response, and then it had it no more. Its end was never seen.",
  abandoned: "No end of this response was seen within 24 hours.",
};

/**
 * A response object that failed, with the items that came.
 * @param first The response with which the run's stream began, as a background run's; null when it is not known any more.
 * @param include The caller's `include` values.
 * @returns Its JSON in chunks.
 */
export async function toFailedResponse(
  record: StoredRecord,
  verdict: GivenUp,
  first: Record<string, unknown> | null,
  readOutputs: ReadOutputs,
  include: ReadonlySet<string>,
): Promise<Uint8Array[]> {
  const { items } = await toRepresentation(record, null, readOutputs);
  const { output: _, ...known } = first ?? toKnownFields(record);
  const words = record.error === null ? "" : ` The last that was heard: ${record.error.message}`;
  const error = { code: "server_error", message: `${REASONS[verdict]}${words}` };
  const head = openObject({ ...known, status: "failed", error });
  return [...encodePieces([head, `"output":`, ...toItemArray(items, include), "}"])];
}

function toKnownFields(record: StoredRecord): Record<string, unknown> {
  const { id, model, metadata, created_at } = record;
  const seconds = Math.floor(Date.parse(created_at ?? record.started_at) / 1000);
  const plain = { object: "response", background: true, incomplete_details: null, usage: null };
  return { id, ...plain, created_at: seconds, completed_at: null, model, metadata };
}
