// What runs cost, as the objects of `test/support/cost-worker` log it.
import { z } from "zod";
import { waitUntil } from "./wait.ts";
import { startWorld, type World } from "./world.ts";

const LogLine = z.object({
  event: z.literal("cost"),
  object: z.enum(["recorder", "catalog", "connection"]),
  id: z.string().optional(),
  operation: z.string(),
  requests: z.number(),
  rows: z.number(),
});
type LogLine = z.infer<typeof LogLine>;

/** Says to which run a Connection belongs. */
const EndLine = z.object({
  event: z.literal("connection_end"),
  id: z.string(),
  connection: z.string(),
});

const SearchLine = z.object({
  event: z.literal("find_files"),
  id: z.string(),
  empty: z.number(),
});

/** What a run has cost in its whole life. */
export type RunCosts = {
  /** Requests to OpenAI by method and path, without ids, sorted. */
  openai: string[];
  /** The types of the keys that were written, in their order. */
  kvWrites: string[];
  /** Requests to objects, without those of readers. */
  objectRequests: string[];
  rowsWritten: number;
  /** Those of them that its Connections wrote. */
  connectionRows: number;
};

/** A run whose record is settled; its objects still have it. */
export type MeasuredRun = { id: string; verdict: string; openai: string[] };

/** Calls by which readers ask. */
const READS = new Set(["read", "readBody", "readOutputs", "follow"]);

/** Starts a world whose objects log their costs, and whose records live for seconds. */
export function startCostWorld(): Promise<World> {
  const settings = { interpreters: 1, runSeconds: 1, backgroundOutputs: "present" };
  const main = "test/support/cost-worker/index.ts";
  const vars = { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1 1 6" };
  return startWorld(settings, vars, {}, { main });
}

/**
 * Triggers a run, and waits until it is settled. No other run may send requests to OpenAI in this time.
 * @param readers How many wait in addition until the record can be read.
 */
export async function runToEnd(world: World, body: unknown, readers = 0): Promise<MeasuredRun> {
  await world.emulator.clearRequests();
  const id = await world.trigger(body);
  const waiting = Array.from({ length: readers }, () => world.request(`/results/${id}?wait=60`));
  const { verdict } = await world.waitUntilSettled(id);
  for (const answer of waiting) await (await answer).arrayBuffer();
  await waitUntil(() => Promise.resolve(hasSearchedAll(world, id)));
  const requests = await world.emulator.listRequests();
  return {
    id,
    verdict,
    openai: requests.map(({ method, path }) => `${method} ${withoutIds(path)}`),
  };
}

/** Waits until a run has expired, and returns what it has cost. */
export async function measureLife(world: World, { id, openai }: MeasuredRun): Promise<RunCosts> {
  const isForgotten = () =>
    readCosts(world, id).some((one) => one.object === "recorder" && one.operation === "delete_all");
  await waitUntil(() => Promise.resolve(isForgotten()));
  const costs = readCosts(world, id).filter(({ operation }) => !READS.has(operation));
  const writes = world.kvOperations().filter(({ operation }) => operation === "put");
  return {
    openai: openai.toSorted(),
    kvWrites: writes.filter(({ key }) => key.includes(id)).map(({ key }) => withoutIds(key)),
    objectRequests: costs
      .filter(({ requests }) => requests > 0)
      .map(({ object, operation }) => `${object} ${operation}`),
    rowsWritten: sumRows(costs),
    connectionRows: sumRows(costs.filter(({ object }) => object === "connection")),
  };
}

// An empty list of files is asked for once more some seconds later, which no reader waits for.
function hasSearchedAll(world: World, id: string): boolean {
  const messages = world.worker.getLogs().map(({ message }) => message);
  const searches = messages.flatMap((line) => parseLine(line, SearchLine));
  const [first, second] = searches.filter((line) => line.id === id);
  return first === undefined || first.empty === 0 || second !== undefined;
}

function sumRows(lines: LogLine[]): number {
  return lines.reduce((sum, { rows }) => sum + rows, 0);
}

/** The requests to objects by which readers asked for a run. */
export function readerRequests(world: World, id: string): string[] {
  const costs = readCosts(world, id).filter(({ operation }) => READS.has(operation));
  return costs.map(({ operation }) => operation);
}

function readCosts(world: World, id: string): LogLine[] {
  const messages = world.worker.getLogs().map(({ message }) => message);
  const ends = messages.flatMap((message) => parseLine(message, EndLine));
  const connections = ends.filter((end) => end.id === id).map(({ connection }) => connection);
  const owners = new Set([id, ...connections]);
  const lines = messages.flatMap((message) => parseLine(message, LogLine));
  return lines.filter((line) => owners.has(line.id ?? ""));
}

function parseLine<T>(line: string, shape: z.ZodType<T>): T[] {
  if (!line.startsWith("{")) return [];
  const parsed = shape.safeParse(JSON.parse(line));
  return parsed.success ? [parsed.data] : [];
}

function withoutIds(path: string): string {
  return path.replace("/v1/", "").replaceAll(/(resp|cntr|cfile)_\w+/g, "ID");
}
