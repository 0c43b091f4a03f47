// Makes the Catalog again from the records that KV has, page by page.
import { Problem } from "../errors.ts";
import { logFailure } from "../log.ts";
import { errorMessage } from "../openai/api-failure.ts";
import { listRecordIds } from "../storage/kv.ts";
import { relistRun } from "./recorder/client.ts";

/** Recorders that are asked at once. */
const MAX_CONCURRENT = 8;

/** What one page came to: how many of its records are listed, the ids of those that could not be, and the cursor of the next page; null after the last. */
export type RebuiltPage = { listed: number; failed: string[]; cursor: string | null };

/**
 * Lists one page of KV's records. Each takes one call to its Recorder, which reads KV and writes the Catalog by itself.
 * @param cursor The cursor of the page before; null for the first.
 * @param limit Records of a page.
 * @throws Problem 400 `bad_cursor` when KV refuses the cursor.
 */
export async function rebuildPage(
  env: Env,
  cursor: string | null,
  limit: number,
): Promise<RebuiltPage> {
  const page = await listIds(env, cursor, limit);
  const failed: string[] = [];
  let listed = 0;
  const relist = async (id: string) => {
    try {
      if (await relistRun(env, id)) listed += 1;
    } catch (error) {
      logFailure("relist", error, { id });
      failed.push(id);
    }
  };
  for (let first = 0; first < page.ids.length; first += MAX_CONCURRENT) {
    await Promise.all(page.ids.slice(first, first + MAX_CONCURRENT).map(relist));
  }
  return { listed, failed, cursor: page.cursor };
}

async function listIds(env: Env, cursor: string | null, limit: number) {
  try {
    return await listRecordIds(env, cursor, limit);
  } catch (error) {
    if (cursor === null) throw error;
    const message = `KV did not list the records after this cursor: ${errorMessage(error)} Try again, or start without it.`;
    throw new Problem("bad_cursor", message);
  }
}
