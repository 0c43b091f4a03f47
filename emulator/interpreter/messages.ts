import type { CallOutput } from "../responses/items.ts";

export type FileEntry = [path: string, bytes: Uint8Array<ArrayBuffer>];

/** A message to an interpreter thread: code to run. `files` replaces the files in the data folder; null leaves them as they are. */
export interface WorkerRequest {
  code: string;
  files: FileEntry[] | null;
}

/** A message from an interpreter thread. */
export type WorkerReply = { kind: "ready" } | ExecutionResult;

/** Why a call has no outputs. The API never says it; the emulator's own routes do. */
export interface CallError {
  /** The last line of the traceback, such as "ModuleNotFoundError: No module named 'pandas'". */
  message: string;
  traceback: string;
}

export interface ExecutionResult {
  kind: "done";
  /** Null if the code neither raised an exception nor was terminated. */
  error: CallError | null;
  outputs: CallOutput[];
  /** The files that the code created or changed. */
  changed: FileEntry[];
  /** The paths of the files that the code removed. */
  removed: string[];
}
