// Requests to the Worker in `test/support/storage-worker`: it shows what objects and KV store, and its Connections can fail to open.
import { z } from "zod";

/** The Worker's entry, relative to the project's folder. */
export const STORAGE_WORKER = "test/support/storage-worker/index.ts";
export const UNOPENED_PATH = "/test/unopened";
export const CONNECTIONS_PATH = "/test/connections";
export const STORAGE_PATH = "/test/storage";
export const KEYS_PATH = "/test/keys";

/** In place of a minute: the seconds after which a control that did not announce itself is asked for. */
export const CONTROL_OPEN_SECONDS = 2;

const OpenConnections = z.object({
  run: z.object({ id: z.string(), kind: z.string() }).nullable(),
  control: z.string().nullable(),
});

/** What a Connection stores: the names of its rows, and its alarm in milliseconds since 1970. */
const Storage = z.object({ rows: z.array(z.string()), alarm: z.number().nullable() });
export type ConnectionStorage = z.infer<typeof Storage>;

/** What an empty object stores. */
export const EMPTY: ConnectionStorage = { rows: [], alarm: null };

async function ask<T>(schema: z.ZodType<T>, url: string, body?: string): Promise<T> {
  const answer = await fetch(url, body === undefined ? {} : { method: "POST", body });
  return schema.parse(await answer.json());
}

/**
 * Makes Connections of a kind fail to open, or with an empty kind none.
 * @param url The Worker's URL.
 */
export async function failToOpen(url: string, kind: string): Promise<void> {
  await ask(z.literal(kind), `${url}${UNOPENED_PATH}`, kind);
}

/** The names of the Connections of a run that are still read. */
export async function listConnections(url: string, id: string): Promise<string[]> {
  const { run, control } = await ask(OpenConnections, `${url}${CONNECTIONS_PATH}/${id}`);
  return [run?.id ?? null, control].filter((name) => name !== null);
}

/** What a Connection stores. */
export function readStorage(url: string, name: string): Promise<ConnectionStorage> {
  return ask(Storage, `${url}${STORAGE_PATH}/${name}`);
}

/** The keys of KV that contain an id. */
export function listKeys(url: string, id: string): Promise<string[]> {
  return ask(z.array(z.string()), `${url}${KEYS_PATH}/${id}`);
}
