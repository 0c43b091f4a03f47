import type { Output } from "../responses/items.ts";

export type File = [path: string, bytes: Uint8Array<ArrayBuffer>];

/** What the pool tells a worker. */
export type Job =
  | { kind: "run"; container: string; code: string; files: File[] | null }
  | { kind: "forget"; container: string };

/** What a worker tells the pool. */
export type Report = { kind: "ready" } | Outcome;

export interface Outcome {
  kind: "done";
  raised: boolean;
  outputs: Output[];
  changed: File[];
  removed: string[];
}
