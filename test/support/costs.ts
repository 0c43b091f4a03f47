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

/** Something that an object did, and what Cloudflare bills for it. */
export type CostItem = Omit<z.infer<typeof LogLine>, "event">;

/** Starts a world whose objects log their costs, and whose records live for seconds. */
export function startCostWorld(): Promise<World> {
  const settings = { backgroundOutputs: "present", interpreters: 1, runSeconds: 1 };
  const main = "test/support/cost-worker/index.ts";
  return startWorld(settings, { WEBHOOK_DEADLINE: "30" }, {}, { main });
}

/** What a run has cost since the log was cleared. */
export function readCostItems(world: World, id: string): CostItem[] {
  const items = world.worker.getLogs().flatMap(({ message }) => parseItem(message));
  return items.filter((item) => item.id === id);
}

/** Waits until the objects have forgotten a run. */
export async function waitUntilForgotten(world: World, id: string): Promise<void> {
  const isForgotten = () =>
    readCostItems(world, id).some(({ operation }) => operation === "delete_all");
  await waitUntil(() => Promise.resolve(isForgotten()));
}

/** The number of requests and rows by object and operation, such as `recorder put`. */
export function countByOperation(items: CostItem[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { object, operation, requests, rows } of items) {
    const name = `${object} ${operation}`;
    const count = requests + rows === 0 ? 0 : Math.max(requests, rows);
    if (count > 0) counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

/** The sum of a column. */
export function sumCosts(items: CostItem[], column: "requests" | "rows"): number {
  return items.reduce((sum, item) => sum + item[column], 0);
}

function parseItem(line: string): CostItem[] {
  if (!line.startsWith('{"event":"cost"')) return [];
  return [LogLine.parse(JSON.parse(line))];
}
