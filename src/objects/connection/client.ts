// Calls to Connections. Each has a name of its own, which its run's record keeps.
import { concatChunks, readChunks, streamChunks } from "../../lib/byte-stream.ts";
import { arrayElements } from "../../lib/json-scan.ts";
import { retry } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import type { CallerHeaders } from "../../openai/client.ts";
import type { ConnectionParams } from "../../record/connection/state.ts";
import type { Opening } from "./report.ts";

/** Milliseconds between attempts to reach a Connection. */
const RETRY_MS = [100, 500];

/** The name of a Connection that is about to be opened. */
export function createConnectionName(): string {
  return crypto.randomUUID();
}

/** A Connection. A stub that failed is of no use any more, so each call asks for a new one. */
export function getConnection(env: Env, name: string): ReturnType<Env["CONNECTION"]["get"]> {
  return env.CONNECTION.get(env.CONNECTION.idFromName(name));
}

/**
 * Sends a request by a Connection. It is tried once: a request that was sent twice would be billed twice.
 * @param body The request as JSON, in chunks.
 * @param headers The caller's, which go along.
 */
export async function openConnection(
  env: Env,
  name: string,
  body: Uint8Array[],
  params: ConnectionParams,
  headers: CallerHeaders = {},
): Promise<Opening> {
  const bytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  try {
    return await getConnection(env, name).open(streamChunks(body), bytes, name, params, headers);
  } catch (error) {
    logFailure("connection_open", error, { connection: name });
    return {
      kind: "failed",
      isLate: false,
      message: "The Connection object was interrupted, by a deploy or a restart of Cloudflare's.",
      id: null,
    };
  }
}

/** Tells a Connection that its Recorder has read what it brought. It asks again when it does not hear of it. */
export async function releaseConnection(env: Env, name: string): Promise<void> {
  try {
    await getConnection(env, name).release();
  } catch (error) {
    logFailure("connection_release", error, { connection: name });
  }
}

/**
 * Ends a Connection's stream, and waits until the Recorder has heard of it.
 * @param graceMs Milliseconds in which it may end by itself.
 */
export async function closeConnection(env: Env, name: string, graceMs = 0): Promise<void> {
  await retry(RETRY_MS, async () => getConnection(env, name).close(graceMs));
}

/** Removes a Connection with everything that it stores. */
export async function removeConnection(env: Env, name: string): Promise<void> {
  await retry(RETRY_MS, async () => getConnection(env, name).remove());
}

/**
 * The response object with which a run's stream began.
 * @returns JSON, or null when the Connection does not know it.
 */
export async function readFirstResponse(env: Env, name: string): Promise<Uint8Array | null> {
  return retry(RETRY_MS, async () => getConnection(env, name).firstResponse());
}

/** What a stream has brought of a response: its last status, the response object with which it began, and the items that are done, each as JSON. */
export type Progress = { status: string | null; response: Uint8Array; items: Uint8Array[] };

/**
 * What a run's stream has brought by now.
 * @returns Null when the Connection does not know the response.
 */
export async function readProgress(env: Env, name: string): Promise<Progress | null> {
  return retry(RETRY_MS, async () => {
    const connection = getConnection(env, name);
    const [report, response] = await Promise.all([connection.report(), connection.firstResponse()]);
    if (report === null || response === null) return null;
    const keys = report.items.map(({ key }) => key);
    const json = keys.length === 0 ? [] : await readChunks(await connection.items(keys));
    return { status: report.status, response, items: arrayElements(concatChunks(json)) };
  });
}
