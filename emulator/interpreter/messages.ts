import type { CallOutput } from "../responses/items.ts";

export type FileEntry = [path: string, bytes: Uint8Array<ArrayBuffer>];

/** A message to an interpreter thread. */
export type WorkerRequest =
  /** Runs code. `files` replaces the files in the data folder; null leaves them as they are. */
  | { kind: "run"; containerId: string; code: string; files: FileEntry[] | null }
  /** Deletes a container's Python variables. There is no reply. */
  | { kind: "release"; containerId: string };

/** A message from an interpreter thread. */
export type WorkerReply = { kind: "ready" } | ExecutionResult;

export interface ExecutionResult {
  kind: "done";
  /** Whether the code raised an exception. */
  raised: boolean;
  outputs: CallOutput[];
  /** The files that the code created or changed. */
  changed: FileEntry[];
  /** The paths of the files that the code removed. */
  removed: string[];
}
