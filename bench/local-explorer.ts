// What a Worker in workerd has done, as wrangler's own local explorer shows it: the same look at all of them.
import { z } from "zod";
import type { Served } from "./server-processes.ts";

const Instances = z.object({ result: z.array(z.object({ id: z.string() })) });
const Instance = z.object({
  result: z.object({ status: z.string(), steps: z.array(z.unknown()) }),
});
const Keys = z.object({ result: z.array(z.object({ name: z.string() })) });

/** Ids of a Workflow's instances. */
export async function instancesOf(served: Served, workflow: string): Promise<string[]> {
  const { result } = Instances.parse(await ask(served, `/workflows/${workflow}/instances`));
  return result.map(({ id }) => id);
}

/** An instance's status and how many steps it took. */
export async function instanceOf(served: Served, workflow: string, id: string) {
  const { result } = Instance.parse(await ask(served, `/workflows/${workflow}/instances/${id}`));
  return { status: result.status, steps: result.steps.length };
}

/** The keys of a KV namespace. */
export async function keysOf(served: Served, namespace: string): Promise<string[]> {
  const path = `/storage/kv/namespaces/${namespace}/keys?limit=1000`;
  return Keys.parse(await ask(served, path)).result.map(({ name }) => name);
}

async function ask({ url }: Served, path: string): Promise<unknown> {
  return (await fetch(`${url}/cdn-cgi/explorer/api${path}`)).json();
}
