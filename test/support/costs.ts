// What runs cost, as the objects of `test/support/cost-worker` log it.
import { z } from "zod";
import { waitUntil } from "./wait.ts";
import { startWorld, type World } from "./world.ts";

const LogLine = z.object({
  event: z.literal("cost"),
  object: z.enum(["recorder", "catalog"]),
  id: z.string().optional(),
  operation: z.string(),
  requests: z.number(),
  rows: z.number(),
});
type LogLine = z.infer<typeof LogLine>;

/** What a run has cost in its whole life. */
export type RunCosts = {
  /** Requests to OpenAI by method and path, without ids, sorted. */
  openai: string[];
  /** The types of the keys that were written, in their order. */
  kvWrites: string[];
  /** Requests to objects, without those of readers. */
  objectRequests: string[];
  rowsWritten: number;
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

/** Triggers a run, and waits until it is settled. No other run may send requests to OpenAI in this time. */
export async function runToEnd(world: World, body: unknown): Promise<MeasuredRun> {
  await world.emulator.clearRequests();
  const id = await world.trigger(body);
  const { verdict } = await world.waitUntilSettled(id);
  const requests = await world.emulator.listRequests();
  return {
    id,
    verdict,
    openai: requests.map(({ method, path }) => `${method} ${withoutIds(path)}`),
  };
}

/** Waits until a run has expired, and returns what it has cost. */
export async function measureLife(world: World, { id, openai }: MeasuredRun): Promise<RunCosts> {
  const isForgotten = () => readCosts(world, id).some((line) => line.operation === "delete_all");
  await waitUntil(() => Promise.resolve(isForgotten()));
  const costs = readCosts(world, id).filter(({ operation }) => !READS.has(operation));
  const writes = world.kvOperations().filter(({ operation }) => operation === "put");
  return {
    openai: openai.toSorted(),
    kvWrites: writes.filter(({ key }) => key.includes(id)).map(({ key }) => withoutIds(key)),
    objectRequests: costs
      .filter(({ requests }) => requests > 0)
      .map(({ object, operation }) => `${object} ${operation}`),
    rowsWritten: costs.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** The requests to objects by which readers asked for a run. */
export function readerRequests(world: World, id: string): string[] {
  const costs = readCosts(world, id).filter(({ operation }) => READS.has(operation));
  return costs.map(({ operation }) => operation);
}

function readCosts(world: World, id: string): LogLine[] {
  const lines = world.worker.getLogs().flatMap(({ message }) => parseLine(message));
  return lines.filter((line) => line.id === id);
}

function parseLine(line: string): LogLine[] {
  return line.startsWith('{"event":"cost"') ? [LogLine.parse(JSON.parse(line))] : [];
}

function withoutIds(path: string): string {
  return path.replace("/v1/", "").replaceAll(/(resp|cntr|cfile)_\w+/g, "ID");
}
