// Applies what searches of containers, and copies of their files, came to. Pure.
import { toSentence } from "../../lib/sentence.ts";
import { isTerminal } from "../reducer.ts";
import { markStored } from "../schedule.ts";
import { shouldCopy, type FileEntry } from "../schema.ts";
import { unsearchedContainers, type Running, type RunState, type State } from "../state.ts";
import { addProgress, clearAttempts, countAttempt, toIso, withRecord } from "./run-state.ts";

/** A file is copied, or a container searched, at most this often in a row: it expires 20 minutes after its last use. */
const MAX_FILE_ATTEMPTS = 6;
/** Characters of a failure's words that a reason keeps. */
const MAX_WHY_LENGTH = 500;

type Found = { files: FileEntry[]; empty: string[] };
type Files = RunState["files"];

/** The state after a search: new files are queued, and those that can't be copied are listed with their reason. */
export function afterSearch(
  state: RunState,
  { containers }: Running,
  found: Found,
  now: number,
): RunState {
  const files = { ...state.files, ...clearAttempts() };
  return applyFound({ ...state, files }, containers, found, now);
}

function applyFound(
  state: RunState,
  containers: string[],
  { files: found, empty }: Found,
  now: number,
): RunState {
  const { files } = state;
  const isListed = (id: string) => !found.some((file) => isUnknown(file) && file.id === id);
  const wasKnown = (id: string) =>
    files.empty.includes(id) || files.done.some((file) => file.container_id === id);
  // A container that is gone by now says nothing new of what was found in it.
  const news = found.filter(
    (file) => !isCopied(files, file) && !(isUnknown(file) && wasKnown(file.id)),
  );
  const kept = files.done.filter((old) => {
    if (isUnknown(old) && containers.includes(old.id)) return !isListed(old.id);
    return !news.some((file) => isSame(file, old) && !shouldCopy(file));
  });
  const next: Files = {
    ...files,
    searched: union(files.searched, containers),
    queue: [...files.queue, ...news.filter(shouldCopy)],
    done: [...kept, ...news.filter((file) => !shouldCopy(file))],
    empty: union(files.empty, empty),
    failed: without(files.failed, containers.filter(isListed)),
  };
  return withFiles(addProgress({ ...state, files: next }, "files_found", toIso(now)), now);
}

/** The containers of a search whose list was empty for the first time. Each is asked once more: a file can be listed a moment after the end. */
export function newlyEmpty(state: State | null, { empty }: Pick<Found, "empty">): string[] {
  return state?.kind === "run" ? without(empty, state.files.empty) : [];
}

/** The state after such a container was asked once more, and had files. */
export function addFiles(state: RunState, files: FileEntry[], now: number): RunState {
  const containers = union(
    [],
    files.map((file) => file.container_id),
  );
  return applyFound(state, containers, { files, empty: [] }, now);
}

/** The state after a copy, or after the last attempt at one. */
export function afterCopy(state: RunState, file: FileEntry, now: number): RunState {
  const { files } = state;
  const next: Files = {
    ...files,
    ...clearAttempts(),
    queue: files.queue.slice(1),
    done: [...files.done.filter((old) => !isSame(old, file)), file],
  };
  return withFiles(addProgress({ ...state, files: next }, "file_copied", toIso(now)), now);
}

// The record lists the files when all were processed.
function withFiles(state: RunState, now: number): RunState {
  const { files, record } = state;
  if (files.queue.length > 0 || unsearchedContainers(state).length > 0) return state;
  if (JSON.stringify(files.done) === JSON.stringify(record.files)) return state;
  const listed = markStored({ ...record, files: files.done }, toIso(now));
  const changed = withRecord(state, listed, true);
  return addProgress(changed, "files_done", toIso(now));
}

/**
 * The state after a search or a copy that failed.
 * @param why OpenAI's or KV's words; null when the effect died with its object.
 */
export function afterFailedFile(
  state: RunState,
  running: Running,
  why: string | null,
  now: number,
): RunState {
  const counted = countAttempt(state.files, running, why === null, now);
  if (counted.attempts < MAX_FILE_ATTEMPTS) {
    return { ...state, files: { ...state.files, ...counted } };
  }
  const words = toSentence(why?.slice(0, MAX_WHY_LENGTH) ?? "The Recorder was interrupted");
  const advice = `${words} Refetch the response to try again while the container exists.`;
  const [file] = state.files.queue;
  if (running.type === "copy_file" && file !== undefined) {
    const reason = `It could not be copied in ${MAX_FILE_ATTEMPTS} attempts: ${advice}`;
    const failed = withFailed(state, [file.container_id]);
    return afterCopy(failed, { ...file, url: null, reason }, now);
  }
  const reason = `The container's files could not be listed in ${MAX_FILE_ATTEMPTS} attempts: ${advice}`;
  const unknown = running.containers.map((id): FileEntry => ({
    id,
    container_id: id,
    filename: "",
    bytes: null,
    url: null,
    reason,
  }));
  const failed = withFailed(state, running.containers);
  return afterSearch(failed, running, { files: unknown, empty: [] }, now);
}

/**
 * A refetch that saw the end tries again what failed. What was copied is not copied again.
 * @param isRequested Somebody asked for it: then everything that was not copied is tried, and empty containers are searched.
 */
export function retryFiles(state: RunState, isRequested: boolean): RunState {
  const { files, record } = state;
  if (!isTerminal(record.status) || files.queue.length > 0) return state;
  const mayHaveMore = (id: string) => {
    const own = files.done.filter((file) => file.container_id === id);
    return own.length === 0 || own.some((file) => file.url === null);
  };
  const due = isRequested ? files.searched.filter(mayHaveMore) : files.failed;
  if (due.length === 0) return state;
  return {
    ...state,
    files: { ...files, ...clearAttempts(), searched: without(files.searched, due) },
  };
}

function withFailed(state: RunState, containers: string[]): RunState {
  const { files } = state;
  return { ...state, files: { ...files, failed: union(files.failed, containers) } };
}

function isCopied({ done }: Files, file: FileEntry): boolean {
  return done.some((old) => old.url !== null && isSame(old, file));
}

function isSame(one: FileEntry, other: FileEntry): boolean {
  return one.id === other.id && one.container_id === other.container_id;
}

// It stands for all files of a container that could not be listed.
function isUnknown({ id, container_id }: FileEntry): boolean {
  return id === container_id;
}

function union(before: string[], more: string[]): string[] {
  return [...new Set([...before, ...more])];
}

function without(all: string[], some: string[]): string[] {
  return all.filter((one) => !some.includes(one));
}
