// Makes the KV of the Worker in `test/support/kv-worker` refuse its writes, or hang.

/** The Worker's entry, relative to the project's folder. */
export const KV_WORKER = "test/support/kv-worker/index.ts";
export const KV_MODE_PATH = "/test/kv";

/** What KV does with a write. */
export type KvMode = "works" | "refuses" | "hangs";

/**
 * Sets what KV does with writes.
 * @param url The Worker's URL.
 */
export async function setKvMode(url: string, mode: KvMode): Promise<void> {
  const answer = await fetch(`${url}${KV_MODE_PATH}`, { method: "POST", body: mode });
  if ((await answer.text()) !== mode) throw new Error(`KV does not have the mode ${mode}.`);
}
