// Simulates on all cores: each thread takes a slice of the numbers, so the result is the same on any machine.
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { z } from "zod";
import { simulate, sumTotals, type Totals } from "./index.ts";

const Slice = z.object({ seed: z.number(), first: z.number(), responses: z.number() });
type Slice = z.infer<typeof Slice>;

/** Simulates responses 0, 1, 2 … of a seed. */
export async function simulateInThreads(
  seed: number,
  responses: number,
  threads = availableParallelism(),
): Promise<Totals> {
  const each = Math.ceil(responses / threads);
  const slices = Array.from({ length: threads }, (_, index): Slice => {
    const first = Math.min(index * each, responses);
    return { seed, first, responses: Math.min(each, responses - first) };
  });
  return sumTotals(await Promise.all(slices.map(simulateSlice)));
}

function simulateSlice(slice: Slice): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: slice });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

if (!isMainThread && parentPort !== null) {
  const { seed, responses, first } = Slice.parse(workerData);
  // An empty transfer list: everything is copied.
  parentPort.postMessage(simulate(seed, responses, first), []);
}
