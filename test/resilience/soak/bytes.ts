// Whether what was kept is, byte for byte, what there was.
import type { Found } from "./evidence.ts";
import type { Plan } from "./schedule.ts";
import type { Truth } from "./emulator-api.ts";

/** What is wrong with the bytes of a record. */
export function wrongBytes(plan: Plan, run: Truth, found: Found): string[] {
  return [...wrongBody(found), ...wrongOutputs(run, found), ...wrongFiles(plan, found)];
}

// Calls whose outputs were seen by fetching stand in the body; it may have the others' as well, when a later look brought them.
function wrongBody({ record, text, body, whole }: Found): string[] {
  if (record.status === null) return [];
  if (whole === null || body === null) return ["no response object was kept"];
  const fetched = record.calls.some(({ source }) => source === "refetch");
  const bodies = [JSON.stringify(whole), ...(fetched ? [] : [withoutOutputs(whole)])];
  const kept = bodies.find((one) => one === body);
  if (kept === undefined) return ["the response object is another one"];
  return text.endsWith(`"response":${kept}}`) ? [] : ["the record holds another response object"];
}

function withoutOutputs(whole: unknown): string {
  return JSON.stringify(whole, (name, value: unknown) => (name === "outputs" ? [] : value));
}

function wrongOutputs(run: Truth, { record }: Found): string[] {
  return run.calls.flatMap((call, index) => {
    const kept = record.calls[index];
    if (kept?.code !== call.code) return [`call ${index + 1} has other code`];
    const expected = kept.source === null ? [] : (call.outputs ?? []);
    if (JSON.stringify(kept.outputs ?? []) === JSON.stringify(expected)) return [];
    return [`the outputs of call ${index + 1} are others`];
  });
}

function wrongFiles({ file, expires }: Plan, { record, files }: Found): string[] {
  const kept = [...files.values()];
  if (kept.some((text) => text !== file)) return ["a file's bytes are others"];
  const unreasoned = record.files.filter(({ url, reason }) => url === null && reason === null);
  if (unreasoned.length > 0) return ["a file is not kept, and nothing says why"];
  const wanted = file !== null && !expires && record.calls.length > 0;
  return wanted && kept.length !== 1 ? [`${kept.length} files were kept, not 1`] : [];
}
