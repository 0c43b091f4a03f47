// Decides what a deploy may do with what the account has already.
import { z } from "zod";

/** The binding of the KV namespace that has the records. */
export const RECORDS = "RECORDS";

const KvBinding = z.object({ namespace_id: z.string() });

export type Binding = { name: string; type: string };
/** A Worker of the account: the names of its secrets, and the other bindings of its deployed version. */
export type ExistingWorker = { secrets: Set<string>; bindings: Binding[] };
export type Namespace = { id: string; title: string };

/** As much of an endpoint at OpenAI as tells whose it is. */
type Endpoint = { name: string; url: string };

export const SECRETS = {
  key: "OPENAI_API_KEY",
  webhook: "OPENAI_WEBHOOK_SECRET",
  token: "ACCESS_TOKEN",
} as const;

/** The binding that only a recorder has. */
const MARK = "CATALOG";

/**
 * Says why a deploy must not replace the Worker of this name, because it is another program.
 * @param worker The account's Worker of this name, if it has one.
 */
export function findForeignWorker(name: string, worker: ExistingWorker | null): string | null {
  if (worker === null || worker.bindings.some((binding) => binding.name === MARK)) return null;
  // A Worker whose secrets were stored before its first deploy has no other binding.
  const isPrepared =
    worker.bindings.length === 0 &&
    Object.values(SECRETS).some((secret) => worker.secrets.has(secret));
  if (isPrepared) return null;
  return `The account has a Worker ${name} that is no recorder, and a deploy would replace it. ${toRenaming(name)}`;
}

/**
 * Says why a deploy must not replace a recorder, because it seems to record another project of OpenAI's.
 * @param endpoints The webhook endpoints of the key's project.
 */
export function findOtherProject(
  name: string,
  worker: ExistingWorker | null,
  endpoints: Endpoint[],
): string | null {
  const isComplete = worker?.secrets.has(SECRETS.key) && worker.secrets.has(SECRETS.webhook);
  if (!isComplete || endpoints.some((endpoint) => isEndpointOf(endpoint, name))) return null;
  return `The account's Worker ${name} has a key and a signing secret, and the OpenAI project of this key has no webhook endpoint for it: it seems to record another project. ${toRenaming(name)}
If it is to record this project, or its endpoint was deleted: npm run deploy -- --new-key`;
}

/**
 * Says which other recorders of the same project there seem to be: a new name makes a new, empty recorder.
 * @returns A clause for the terminal; empty when the Worker exists already, or there is no other one.
 */
export function describeOthers(
  name: string,
  worker: ExistingWorker | null,
  endpoints: Endpoint[],
): string {
  const urls = endpoints.filter((endpoint) => !isEndpointOf(endpoint, name)).map(({ url }) => url);
  const others = urls.filter((url) => url.endsWith("/webhook"));
  if (worker !== null || others.length === 0) return "";
  return `; OpenAI also sends to ${others.join(", ")}, whose records stay there (docs/operations.md, Move)`;
}

function isEndpointOf(endpoint: Endpoint, name: string): boolean {
  return endpoint.name === name || new URL(endpoint.url).host.startsWith(`${name}.`);
}

function toRenaming(name: string): string {
  return `For a recorder beside it, change this line in wrangler.toml:
name = "${name}-2"`;
}

/**
 * Finds the KV namespace that the deploy must name, because wrangler would fail or create another one.
 * @param namespaces The account's; null where they can't be listed.
 * @returns Its id, or null where wrangler creates the namespace or inherits it.
 */
export function findRecordsId(
  name: string,
  worker: ExistingWorker | null,
  namespaces: Namespace[] | null,
): string | null {
  const bound = worker?.bindings.find((binding) => binding.name === RECORDS);
  const inherited = KvBinding.safeParse(bound).data?.namespace_id;
  if (inherited !== undefined) return inherited;
  // So wrangler names the namespace that it creates. An earlier deploy that failed after that, or `wrangler delete`, left it.
  const title = `${name}-${RECORDS.toLowerCase()}`;
  return namespaces?.find((namespace) => namespace.title === title)?.id ?? null;
}
