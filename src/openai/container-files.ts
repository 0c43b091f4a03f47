// Container files: found when a response ends, copied to KV before the container dies.
import { APIError } from "openai";
import * as z from "zod";
import { container, messageOf } from "./client.ts";
import type { KeptFile, Known, Owner } from "../record/schema.ts";
import { fileUrl, LARGEST_VALUE, storeFile } from "../storage/kv.ts";

const MOST_FILES = 50;
const MOST_BYTES = 200 * 1024 * 1024;
/** Files that are named in a record, kept or not. */
const MOST_NAMED = 200;
/** Pages of 100 files that are read of a container. */
const MOST_PAGES = 20;
/** Seconds by which OpenAI's clock for containers may differ from its clock for responses. */
const CLOCKS = 5;

const ListedFile = z.looseObject({
  id: z.string(),
  created_at: z.number().catch(0),
  bytes: z.number().nullish().catch(null),
  path: z.string().catch(""),
  source: z.string().catch(""),
});
type ListedFile = z.infer<typeof ListedFile>;

const Page = z.looseObject({ data: z.array(z.unknown()), has_more: z.boolean().catch(false) });
const Container = z.looseObject({ created_at: z.number() });

const SHARED = "The container existed before this response: other responses may share it.";

/**
 * The files that the run made: written by it, or cited by its text.
 * @param env The Worker's environment.
 * @param record A response that has ended.
 * @returns Each with a reason where it can't be kept, and without a url: none is copied yet.
 * @throws When OpenAI fails in a way that trying again may mend.
 */
export async function findFiles(env: Env, record: Known): Promise<KeptFile[]> {
  const perContainer = await Promise.all(record.containers.map((id) => filesOf(env, record, id)));
  return withinBounds(perContainer.flat());
}

/**
 * Copies one file to KV, as a stream.
 * @param env The Worker's environment.
 * @param owner The response.
 * @param file A file that was found.
 * @throws When trying again may mend it.
 */
export async function saveFile(env: Env, owner: Owner, file: KeptFile): Promise<KeptFile> {
  try {
    const answer = await container(env, [file.container_id, "files", file.id, "content"]);
    const length = Number(answer.headers.get("content-length") ?? Number.NaN);
    const bytes =
      Number.isFinite(length) && !answer.headers.has("content-encoding") ? length : file.bytes;
    if (bytes !== null && bytes > LARGEST_VALUE) return tooLarge({ ...file, bytes });
    const stored = await storeFile(env, owner, { ...file, bytes }, answer.body);
    return { ...file, bytes: stored, url: fileUrl(owner.id, file.id) };
  } catch (error) {
    if (error instanceof RangeError) return { ...file, url: null, reason: error.message };
    if (!isGone(error)) throw error;
    return { ...file, url: null, reason: `It was gone already: ${messageOf(error)}` };
  }
}

async function filesOf(env: Env, record: Known, id: string): Promise<KeptFile[]> {
  const cited = record.cited.filter((file) => file.container_id === id);
  try {
    const listed = await listFiles(env, id);
    const shared = await isShared(env, record, id);
    const made = listed.filter(
      (file) => isMade(file, record) || cited.some((one) => one.id === file.id),
    );
    const missing = cited.filter((file) => !listed.some((one) => one.id === file.id));
    return [
      ...made.map((file) => found(file, id, shared)),
      ...missing.map((file) => gone(file, "The container doesn't list it any more.")),
    ];
  } catch (error) {
    if (!isGone(error)) throw error;
    const reason = `The container was gone already: ${messageOf(error)}`;
    if (cited.length > 0) return cited.map((file) => gone(file, reason));
    return [
      gone({ id, container_id: id, filename: "" }, `${reason} Which files it had is not known.`),
    ];
  }
}

async function listFiles(env: Env, id: string): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for (let number = 0; number < MOST_PAGES; number += 1) {
    const last = files.at(-1)?.id;
    const query = { limit: 100, ...(last === undefined ? {} : { after: last }) };
    const page = Page.parse(await (await container(env, [id, "files"], query)).json());
    files.push(...page.data.map((file) => ListedFile.parse(file)));
    if (!page.has_more || page.data.length === 0) break;
  }
  return files;
}

// An automatic container is made for its response; one that is older was named in the request, or came along from an earlier response.
async function isShared(env: Env, record: Known, id: string): Promise<boolean> {
  const began = record.created_at;
  if (began === null) return false;
  const answer: unknown = await (await container(env, [id])).json();
  const parsed = Container.safeParse(answer);
  return parsed.success && parsed.data.created_at < Date.parse(began) / 1000 - CLOCKS;
}

function isMade(file: ListedFile, record: Known): boolean {
  if (file.source !== "assistant") return false;
  return (
    record.created_at === null ||
    file.created_at >= Math.floor(Date.parse(record.created_at) / 1000)
  );
}

function found(file: ListedFile, containerId: string, shared: boolean): KeptFile {
  const kept: KeptFile = {
    id: file.id,
    container_id: containerId,
    filename: file.path.split("/").at(-1) ?? "",
    bytes: file.bytes ?? null,
    url: null,
    reason: null,
  };
  if (kept.bytes !== null && kept.bytes > LARGEST_VALUE) return tooLarge(kept);
  // To be copied: a url that nothing stands behind yet tells it from one that can't be.
  return shared ? { ...kept, url: "", reason: SHARED } : kept;
}

function tooLarge(file: KeptFile): KeptFile {
  const reason = `It has ${file.bytes} bytes; at most ${LARGEST_VALUE} can be stored.`;
  return { ...file, url: null, reason };
}

function gone(
  file: { id: string; container_id: string; filename: string },
  reason: string,
): KeptFile {
  return { ...file, bytes: null, url: null, reason };
}

function withinBounds(files: KeptFile[]): KeptFile[] {
  let count = 0;
  let bytes = 0;
  return files.slice(0, MOST_NAMED).map((file) => {
    if (!isToCopy(file)) return file;
    count += 1;
    bytes += file.bytes ?? 0;
    if (count > MOST_FILES)
      return { ...file, url: null, reason: `Only ${MOST_FILES} files are kept of a response.` };
    if (bytes <= MOST_BYTES) return file;
    return {
      ...file,
      url: null,
      reason: `Only ${MOST_BYTES} bytes of files are kept of a response.`,
    };
  });
}

/** Whether a file that was found is still to be copied. */
export function isToCopy(file: KeptFile): boolean {
  return file.reason === null || file.url !== null;
}

// An expired container answers 400 or 404: https://community.openai.com/t/1321773
function isGone(error: unknown): boolean {
  return (
    error instanceof APIError &&
    (error.status === 400 || error.status === 404 || error.status === 410)
  );
}
