// Reads the state of a Worker under `wrangler dev` through wrangler's local explorer, the same way for every Worker.
import { z } from "zod";
import type { ServerProcess } from "./server-processes.ts";

const Keys = z.object({ result: z.array(z.object({ name: z.string() })) });

const MAX_KEYS = 1000;

/** Lists the keys of a KV namespace. */
export async function listKeys(server: ServerProcess, namespace: string): Promise<string[]> {
  const path = `/storage/kv/namespaces/${namespace}/keys?limit=${MAX_KEYS}`;
  return Keys.parse(await fetchFromExplorer(server, path)).result.map(({ name }) => name);
}

async function fetchFromExplorer({ url }: ServerProcess, path: string): Promise<unknown> {
  return (await fetch(`${url}/cdn-cgi/explorer/api${path}`)).json();
}
