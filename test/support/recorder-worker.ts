// Requests to the Worker in `test/support/recorder-worker`: its KV can refuse writes, or hang, its runs can be copied, and their limits shortened.
import type { Limits } from "../../src/record/policy.ts";

/** The Worker's entry, relative to the project's folder. */
export const RECORDER_WORKER = "test/support/recorder-worker/index.ts";
export const KV_MODE_PATH = "/test/kv";
export const COPIES_PATH = "/test/copies";
export const LIMITS_PATH = "/test/limits";

export const STATES_PATH = "/test/states";

/** A run, what is replaced in its Recorder's stored state, and whether that loses the response's body. */
export type StateRequest = {
  id: string;
  replace: [from: string, to: string][];
  withoutBody: boolean;
};

/**
 * Replaces parts of a Recorder's stored state.
 * @param url The Worker's URL.
 * @returns The new state.
 */
export async function replaceState(url: string, request: StateRequest): Promise<string> {
  const body = JSON.stringify(request);
  return (await fetch(`${url}${STATES_PATH}`, { method: "POST", body })).text();
}

/** A run, and the ids of its copies. */
export type CopyRequest = { id: string; copies: string[] };

/** What KV does with a write, or `unreadable` when it fails reads of the Worker. */
export type KvMode = "works" | "refuses" | "hangs" | "unreadable";

/**
 * Sets what KV does.
 * @param url The Worker's URL.
 */
export async function setKvMode(url: string, mode: KvMode): Promise<void> {
  const answer = await fetch(`${url}${KV_MODE_PATH}`, { method: "POST", body: mode });
  if ((await answer.text()) !== mode) throw new Error(`KV does not have the mode ${mode}.`);
}

/**
 * Copies a run that KV has: its Recorder's state, and its record. The list does not get the copies.
 * @param url The Worker's URL.
 */
export async function copyRun(url: string, request: CopyRequest): Promise<void> {
  const body = JSON.stringify(request);
  const answer = await fetch(`${url}${COPIES_PATH}`, { method: "POST", body });
  if ((await answer.text()) !== "copied") throw new Error(`${request.id} was not copied.`);
}

/**
 * Sets the limits of the runs that begin from now on.
 * @param url The Worker's URL.
 * @param limits Where they differ from the usual ones.
 */
export async function setLimits(url: string, limits: Partial<Limits>): Promise<void> {
  const body = JSON.stringify(limits);
  const answer = await fetch(`${url}${LIMITS_PATH}`, { method: "POST", body });
  if ((await answer.text()) !== "set") throw new Error("The limits were not set.");
}
