// Hides the recorder's own metadata pair in what OpenAI answers. Only the metadata is parsed: an answer can have megabytes.
import { editLines, toByteStream } from "../../lib/byte-stream.ts";
import { applyEdits, asObject, parseValue, scanMembers, type Edit } from "../../lib/json-scan.ts";
import { withoutOwnPair } from "../../record/request/metadata.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const DATA_FIELD = "data:";

/**
 * A response object, or an event with one, without the pair.
 * @param json What is no JSON stays as it is.
 * @returns Its JSON in chunks.
 */
export function hideOwnPair(json: Uint8Array): Uint8Array[] {
  try {
    return applyEdits(json, findEdits(json));
  } catch {
    return [json];
  }
}

/** The same event stream, without the pair in any event. */
export function hideOwnPairInEvents(
  stream: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  return toByteStream(editLines(stream, hideInLine));
}

/** The edit that removes the pair from a metadata object; none when it is not there. */
export function metadataEdits(value: Uint8Array): Edit[] {
  const metadata = parseValue(value);
  const own = withoutOwnPair(metadata);
  return own === metadata ? [] : [{ value, replacement: [encoder.encode(JSON.stringify(own))] }];
}

function hideInLine(line: Uint8Array): Uint8Array[] {
  const field = decoder.decode(line.subarray(0, DATA_FIELD.length));
  if (field !== DATA_FIELD) return [line];
  const data = line.subarray(DATA_FIELD.length);
  return [line.subarray(0, DATA_FIELD.length), ...hideOwnPair(data)];
}

function findEdits(json: Uint8Array): Edit[] {
  if (asObject(json) === null) return [];
  return scanMembers(json).flatMap(({ name, value }) => {
    if (name === "metadata") return metadataEdits(value);
    return name === "response" ? findEdits(value) : [];
  });
}
