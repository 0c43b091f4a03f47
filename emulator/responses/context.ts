/** What a request inherits from earlier ones: a container, and files. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { findUpload, type UploadedFile } from "../containers/uploads.ts";
import { type Entry, toEntries } from "../conversations.ts";
import { toUnixSeconds } from "../lib/ids.ts";
import type { State } from "../state.ts";
import { isCodeInterpreterCall, type Item } from "./items.ts";
import type { Run } from "./run.ts";

const WithParts = z.object({ content: z.array(z.looseObject({ type: z.string() })) });
const ReferencedFile = z.object({ file_id: z.string() });
const InlineFile = z.object({ file_data: z.string(), filename: z.string() });

/** The items before a run's input, oldest first: of the responses that it follows, or of its conversation. */
export function getEarlierItems(state: State, run: Run): Item[] {
  return getEarlierEntries(state, run).map(({ item }) => item);
}

/** The entries of a run's context: the earlier ones and its input, oldest first. */
export function getInputEntries(state: State, run: Run): Entry[] {
  return [...getEarlierEntries(state, run), ...run.input.map((item) => ({ item, run: null }))];
}

function getEarlierEntries(state: State, { params, conversationId, input, output }: Run): Entry[] {
  if (conversationId === null) {
    return getPreviousRuns(state, params.previous_response_id).flatMap(toEntries);
  }
  const entries = state.conversations.get(conversationId)?.entries ?? [];
  // Once the run has ended, the conversation has the run's own items too.
  const own = new Set([...input, ...output]);
  const end = entries.findIndex(({ item }) => own.has(item));
  return end < 0 ? entries : entries.slice(0, end);
}

/** The responses that a chain of `previous_response_id` names, oldest first, as far as they are kept. */
function getPreviousRuns(state: State, id: string | null | undefined): Run[] {
  const runs: Run[] = [];
  let run = state.runs.get(id ?? "");
  while (run) {
    runs.unshift(run);
    run = state.runs.get(run.params.previous_response_id ?? "");
  }
  return runs;
}

/** The containers of earlier calls, oldest first: those of the items, and those that items refer to. */
export function getContainerIds(state: State, items: readonly Item[]): string[] {
  const calls = items.map((item) => resolveReference(state, item)).filter(isCodeInterpreterCall);
  return calls.map(({ container_id }) => container_id);
}

function resolveReference({ runs }: State, item: Item): Item {
  if (item.type !== "item_reference") return item;
  for (const { output } of runs.values()) {
    const referenced = output.find(({ id }) => id === item.id);
    if (referenced) return referenced;
  }
  return item;
}

/** The files of the request's input. Throws the API's 404 for an unknown id. */
export function getInputFiles({ uploads }: State, items: readonly Item[]): UploadedFile[] {
  return getFileParts(items).flatMap((part) => {
    const referenced = ReferencedFile.safeParse(part).data;
    return referenced ? [findUpload(uploads, referenced.file_id)] : toInlineFiles(part);
  });
}

/** The files of earlier input, without those that were deleted since. */
export function getEarlierFiles({ uploads }: State, items: readonly Item[]): UploadedFile[] {
  return getFileParts(items).flatMap((part) => {
    const referenced = ReferencedFile.safeParse(part).data;
    return referenced ? (uploads.get(referenced.file_id) ?? []) : toInlineFiles(part);
  });
}

function getFileParts(items: readonly Item[]): unknown[] {
  const parts = items.flatMap((item) => WithParts.safeParse(item).data?.content ?? []);
  return parts.filter(({ type }) => type === "input_file" || type === "input_image");
}

/** A file whose Base64 stands in the input. The same file has the same id each time, so a container gets it once. */
function toInlineFiles(part: unknown): UploadedFile[] {
  const inline = InlineFile.safeParse(part).data;
  if (!inline) return [];
  const { filename, file_data } = inline;
  const hash = createHash("sha256").update(filename).update("\0").update(file_data);
  const bytes = Uint8Array.from(Buffer.from(file_data.replace(/^data:[^,]*,/, ""), "base64"));
  const id = `file-${hash.digest("hex")}`;
  return [{ id, createdAt: toUnixSeconds(), filename, purpose: "user_data", bytes }];
}
