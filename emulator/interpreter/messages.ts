import type { CallOutput } from "../responses/items.ts";

export type FileEntry = [path: string, bytes: Uint8Array<ArrayBuffer>];

/** What the pool tells a worker. */
export type WorkerRequest =
  | { kind: "run"; container: string; code: string; files: FileEntry[] | null }
  | { kind: "forget"; container: string };

/** What a worker tells the pool. */
export type WorkerReply = { kind: "ready" } | ExecutionResult;

export interface ExecutionResult {
  kind: "done";
  raised: boolean;
  outputs: CallOutput[];
  changed: FileEntry[];
  removed: string[];
}
