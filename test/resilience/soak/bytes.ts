// Compares what was stored with what there was, byte for byte.
import type { StoredResponse } from "./evidence.ts";
import { isTerminal } from "./facts.ts";
import type { Plan } from "./schedule.ts";
import type { ActualRun } from "../../support/emulator-client.ts";

/** Returns what is wrong with the bytes of a record. */
export function findWrongBytes(plan: Plan, run: ActualRun, found: StoredResponse): string[] {
  return [...findWrongBody(found), ...findWrongOutputs(run, found), ...findWrongFiles(plan, found)];
}

// The body has the calls whose outputs a refetch brought. It may have the others as well, if a later refetch brought them.
function findWrongBody({
  record,
  text,
  responseText,
  fullResponse,
  kvCopy,
}: StoredResponse): string[] {
  if (record.status === null) return [];
  if (fullResponse === null || responseText === null) return ["no response object is stored"];
  const fetched = record.calls.some(({ source }) => source === "refetch");
  const bodies = [
    JSON.stringify(fullResponse),
    ...(fetched ? [] : [withoutOutputs(fullResponse)]),
    ...(hadItems(record) ? [] : [withoutItems(fullResponse)]),
  ];
  const stored = bodies.find((one) => one === responseText);
  if (stored === undefined) return ["the response object is another one"];
  const sent = [...bodies, withoutOutputs(fullResponse), withoutItems(fullResponse)];
  if (kvCopy !== null && !sent.includes(kvCopy.body)) return ["KV has another response object"];
  return text.endsWith(`"response":${stored}}`) ? [] : ["the record has another response object"];
}

function withoutOutputs(whole: unknown): string {
  return JSON.stringify(whole, (name, value: unknown) => (name === "outputs" ? [] : value));
}

function withoutItems(whole: unknown): string {
  return JSON.stringify(whole, (name, value: unknown) => (name === "output" ? [] : value));
}

// OpenAI's first answers after an end can lack the items; when all did, that is what it sent.
function hadItems({ observations }: StoredResponse["record"]): boolean {
  const ends = observations.filter(
    ({ channel, status }) => channel === "refetch" && isTerminal(status),
  );
  return ends.length === 0 || ends.some(({ calls }) => calls.length > 0);
}

function findWrongOutputs(run: ActualRun, { record }: StoredResponse): string[] {
  return run.calls.flatMap((call, index) => {
    const kept = record.calls[index];
    if (kept?.code !== call.code) return [`call ${index + 1} has other code`];
    const expected = kept.source === null ? [] : (call.outputs ?? []);
    if (JSON.stringify(kept.outputs ?? []) === JSON.stringify(expected)) return [];
    return [`the outputs of call ${index + 1} differ`];
  });
}

function findWrongFiles(
  { file, codes, containerExpires }: Plan,
  { record, files }: StoredResponse,
): string[] {
  const kept = [...files.values()];
  if (kept.some((text) => text !== file)) return ["the bytes of a file differ"];
  const unreasoned = record.files.filter(({ url, reason }) => url === null && reason === null);
  if (unreasoned.length > 0) return ["a file is not stored, without a reason"];
  // The last call writes it. A run that was cut off may not have come so far.
  const isWritten = record.calls.some(({ code }) => code === codes.at(-1)?.python);
  const wanted = file !== null && !containerExpires && isWritten;
  return wanted && kept.length !== 1 ? [`${kept.length} files are stored, not 1`] : [];
}
