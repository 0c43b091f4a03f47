// Container files: found when a response ends, copied before the container expires.
import * as z from "zod";
import { parseJson } from "../lib/json-parse.ts";
import { toSentence } from "../lib/sentence.ts";
import { MAX_FILENAME_LENGTH, MAX_VALUE_BYTES } from "../record/limits.ts";
import { shouldCopy, type FileEntry, type RecordKey, type StoredRecord } from "../record/schema.ts";
import { errorMessage, toApiFailure } from "./api-failure.ts";
import { fetchContainer } from "./client.ts";
import { GIVE_PERMISSION, KEY_FORBIDDEN, KEY_REFUSED } from "./to-problem.ts";

/** Files that are copied of one response. */
const MAX_FILES = 50;
const MAX_TOTAL_BYTES = 200 * 1024 * 1024;
/** Files that a record lists, copied or not. */
const MAX_ENTRIES = 200;
/** Pages of 100 files that are read of a container. */
const MAX_PAGES = 20;
/** OpenAI's clock for containers may differ from its clock for responses by this much. */
const CLOCK_SKEW_SECONDS = 5;

const ListedFile = z.looseObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/),
  created_at: z.number().catch(0),
  bytes: z.number().nullish().catch(null),
  path: z.string().catch(""),
  source: z.string().catch(""),
});
type ListedFile = z.infer<typeof ListedFile>;

const FilePage = z.looseObject({ data: z.array(z.unknown()), has_more: z.boolean().catch(false) });
const Container = z.looseObject({ created_at: z.number() });

/** What to do about a file that does not fit. */
const DOWNLOAD = "Download it from OpenAI before its container expires.";
const SHARED_CONTAINER =
  "The container existed before this response: other responses may share it.";

/** Stores one file's bytes and returns their number. */
type StoreFile = (file: FileEntry, body: ReadableStream<Uint8Array> | null) => Promise<number>;

/** What a search brought. `empty`: the containers whose list had nothing at all. */
export type FoundFiles = { files: FileEntry[]; empty: string[] };

/**
 * Finds the files that a run created or that its text cites.
 * @param record A response that has ended.
 * @returns Each with a reason when it can't be copied, and without a url: none is copied yet.
 * @throws When OpenAI fails in a way that a retry may mend.
 */
export async function findFiles(
  env: Env,
  record: StoredRecord,
  signal: AbortSignal,
): Promise<FoundFiles> {
  const found = await Promise.all(
    record.containers.map((id) => findContainerFiles(env, record, id, signal)),
  );
  return {
    files: applyLimits(found.flatMap(({ files }) => files)),
    empty: found.flatMap(({ empty }) => empty),
  };
}

/**
 * Copies one file, as a stream.
 * @param file A file that `findFiles` found.
 * @param store Stores its bytes. A RangeError says that there are too many.
 * @param signal Ends the copy. A file that is deleted must not be stored afterwards.
 * @throws When a retry may mend it.
 */
export async function copyFile(
  env: Env,
  key: RecordKey,
  file: FileEntry,
  store: StoreFile,
  signal: AbortSignal,
): Promise<FileEntry> {
  try {
    const path = [file.container_id, "files", file.id, "content"];
    const answer = await fetchContainer(env, path, signal);
    const bytes = contentLength(answer) ?? file.bytes;
    if (bytes !== null && bytes > MAX_VALUE_BYTES) return fileTooLarge({ ...file, bytes });
    const stored = await store({ ...file, bytes }, answer.body);
    return { ...file, bytes: stored, url: fileUrl(key.id, file.id) };
  } catch (error) {
    if (error instanceof RangeError)
      return { ...file, url: null, reason: `${error.message} ${DOWNLOAD}` };
    if (!isExpired(error)) throw toFailure(error);
    const reason = `It had expired already: ${toSentence(errorMessage(error))} Run the code again to get it.`;
    return { ...file, url: null, reason };
  }
}

// The path of this Worker that serves a copied file.
function fileUrl(id: string, file: string): string {
  return `/results/${id}/files/${encodeURIComponent(file)}`;
}

// A compressed answer's length is not the file's.
function contentLength({ headers }: Response): number | null {
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return Number.isFinite(length) && !headers.has("content-encoding") ? length : null;
}

async function findContainerFiles(
  env: Env,
  record: StoredRecord,
  id: string,
  signal: AbortSignal,
): Promise<FoundFiles> {
  const cited = record.cited_files.filter((file) => file.container_id === id);
  try {
    const listed = await listFiles(env, id, signal);
    const own = listed.filter(
      (file) => isCreatedByRun(file, record) || cited.some((one) => one.id === file.id),
    );
    const shared = own.length > 0 && (await isShared(env, record, id, signal));
    const missing = cited.filter((file) => !listed.some((one) => one.id === file.id));
    const reason = "The container does not list it. Refetch the response to look again.";
    const files = [
      ...own.map((file) => toFileEntry(file, id, shared)),
      ...missing.map((file) => missingFile(file, reason)),
    ];
    return { files, empty: listed.length === 0 ? [id] : [] };
  } catch (error) {
    if (!isExpired(error)) throw toFailure(error);
    return { files: expiredFiles(id, cited, errorMessage(error)), empty: [] };
  }
}

function expiredFiles(id: string, cited: StoredRecord["cited_files"], why: string): FileEntry[] {
  const reason = `The container had expired already: ${toSentence(why)} Run the code again to get its files.`;
  if (cited.length > 0) return cited.map((file) => missingFile(file, reason));
  const unknown = { id, container_id: id, filename: "" };
  return [missingFile(unknown, `${reason} Which files it had is not known.`)];
}

// The words are kept in the record, as the reason why a file is missing.
function toFailure(error: unknown): Error {
  const { status } = toApiFailure(error);
  const words = errorMessage(error);
  if (status === 401) return new Error(KEY_REFUSED, { cause: error });
  if (status !== 403) return new Error(words, { cause: error });
  const reason = `${KEY_FORBIDDEN}: ${toSentence(words)} ${GIVE_PERMISSION}`;
  return new Error(reason, { cause: error });
}

async function listFiles(env: Env, id: string, signal: AbortSignal): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for (let number = 0; number < MAX_PAGES; number += 1) {
    const last = files.at(-1)?.id;
    const query = { limit: 100, ...(last === undefined ? {} : { after: last }) };
    const answer = await fetchContainer(env, [id, "files"], signal, query);
    const page = FilePage.safeParse(parseJson(await answer.text())).data;
    if (page === undefined) throw new Error("OpenAI's answer was not a list of files.");
    files.push(...page.data.flatMap((file) => ListedFile.safeParse(file).data ?? []));
    if (!page.has_more || page.data.length === 0) break;
  }
  return files;
}

// OpenAI creates an automatic container for its response. An older one was named in the request, or comes from an earlier response.
async function isShared(
  env: Env,
  record: StoredRecord,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (record.created_at === null) return false;
  const answer = await fetchContainer(env, [id], signal);
  const container = Container.safeParse(parseJson(await answer.text()));
  const began = Date.parse(record.created_at) / 1000;
  return container.success && container.data.created_at < began - CLOCK_SKEW_SECONDS;
}

function isCreatedByRun(file: ListedFile, record: StoredRecord): boolean {
  if (file.source !== "assistant") return false;
  return (
    record.created_at === null ||
    file.created_at >= Math.floor(Date.parse(record.created_at) / 1000) - CLOCK_SKEW_SECONDS
  );
}

function toFileEntry(file: ListedFile, containerId: string, isInShared: boolean): FileEntry {
  const entry: FileEntry = {
    id: file.id,
    container_id: containerId,
    filename: (file.path.split("/").at(-1) ?? "").slice(0, MAX_FILENAME_LENGTH),
    bytes: file.bytes ?? null,
    url: null,
    reason: null,
  };
  if (entry.bytes !== null && entry.bytes > MAX_VALUE_BYTES) return fileTooLarge(entry);
  // The empty url says that this file is still to be copied although it has a reason.
  return isInShared ? { ...entry, url: "", reason: SHARED_CONTAINER } : entry;
}

function fileTooLarge(file: FileEntry): FileEntry {
  const reason = `It has ${file.bytes} bytes; at most ${MAX_VALUE_BYTES} can be stored. ${DOWNLOAD}`;
  return { ...file, url: null, reason };
}

function missingFile(
  file: { id: string; container_id: string; filename: string },
  reason: string,
): FileEntry {
  return { ...file, bytes: null, url: null, reason };
}

function applyLimits(files: FileEntry[]): FileEntry[] {
  let count = 0;
  let bytes = 0;
  return files.slice(0, MAX_ENTRIES).map((file) => {
    if (!shouldCopy(file)) return file;
    count += 1;
    bytes += file.bytes ?? 0;
    if (count > MAX_FILES) {
      const reason = `Only ${MAX_FILES} files are copied of a response. Let the code put them into one archive.`;
      return { ...file, url: null, reason };
    }
    if (bytes <= MAX_TOTAL_BYTES) return file;
    const reason = `Only ${MAX_TOTAL_BYTES} bytes of files are copied of a response. ${DOWNLOAD}`;
    return { ...file, url: null, reason };
  });
}

// An expired container answers 400 or 404: https://community.openai.com/t/1321773
function isExpired(error: unknown): boolean {
  const { status } = toApiFailure(error);
  return status === 400 || status === 404 || status === 410;
}
