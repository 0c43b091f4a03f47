// Part 3: whole responses a second, from trigger to record, compared with Workflows that do nothing else.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { pollUntil } from "../../scripts/lib/retry.ts";
import { percentile, runConcurrently, timeConcurrently } from "../load-generator.ts";
import { getInstance } from "../local-explorer.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { createPrintRequest } from "../requests.ts";
import type { ServerProcess } from "../server-processes.ts";

const TRIGGER_CONCURRENCY = 16;
const POLL_INTERVAL_MS = 50;

/** Names of the platform's Workflows and of the routes that start them. */
type BaselineWorkflow = "empty" | "equivalent";

export async function measureThroughput(context: BenchContext): Promise<Measurement[]> {
  const { emulator, recorder, platform, isQuick } = context;
  const rounds = isQuick ? 1 : 2;
  const count = isQuick ? 12 : 64;
  const perSecond = {
    withCall: new Array<number>(),
    withoutCalls: new Array<number>(),
    empty: new Array<number>(),
    equivalent: new Array<number>(),
  };
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  for (let round = 0; round < rounds; round += 1) {
    perSecond.withCall.push(await measureRecordsPerSecond(context, count, createPrintRequest));
    perSecond.withoutCalls.push(
      await measureRecordsPerSecond(context, count, () => ({ input: "hello" })),
    );
    perSecond.empty.push(await measureInstancesPerSecond(platform, count, "empty"));
    perSecond.equivalent.push(await measureInstancesPerSecond(platform, count, "equivalent"));
  }
  await emulator.changeSettings({ webhookUrl: null });
  const { withCall, withoutCalls, empty, equivalent } = perSecond;
  return [
    toMeasurement("responses with a call, compared with the empty Workflow", withCall, empty),
    toMeasurement("responses without calls, compared with the empty Workflow", withoutCalls, empty),
    toMeasurement(
      "responses without calls, compared with a Workflow of as many steps and writes",
      withoutCalls,
      equivalent,
    ),
    {
      part: 3,
      name: "one KV put, alone",
      unit: "ms",
      values: { platform: await measureKvPutMs(context) },
    },
  ];
}

function toMeasurement(name: string, recorder: number[], platform: number[]): Measurement {
  const values = { recorder: percentile(recorder, 50), platform: percentile(platform, 50) };
  return { part: 3, name, unit: "/s", values, higherIsBetter: true };
}

/**
 * Measures responses a second, from the first trigger to the last record.
 * @param count How many responses, at most 16 triggers at once.
 * @param createRequest Creates the request of the response with this number.
 */
export async function measureRecordsPerSecond(
  { recorder }: Pick<BenchContext, "recorder">,
  count: number,
  createRequest: (n: number) => object,
): Promise<number> {
  const startedAt = performance.now();
  const ids = await runConcurrently(TRIGGER_CONCURRENCY, count, (n) =>
    recorder.trigger(createRequest(n)),
  );
  const areRecorded = async () => {
    const recorded = await recorder.listRecorded(count);
    return ids.every((id) => recorded.has(id));
  };
  await pollUntil(areRecorded, { intervalMs: POLL_INTERVAL_MS });
  const seconds = (performance.now() - startedAt) / 1000;
  await recorder.waitUntilSettled(ids);
  return count / seconds;
}

async function measureInstancesPerSecond(
  platform: ServerProcess,
  count: number,
  workflow: BaselineWorkflow,
): Promise<number> {
  const startedAt = performance.now();
  const ids = await runConcurrently(TRIGGER_CONCURRENCY, count, async () => {
    const id = randomUUID();
    assert.equal((await fetch(`${platform.url}/${workflow}/${id}`)).status, 200);
    return id;
  });
  const isComplete = async (id: string) =>
    (await getInstance(platform, workflow, id)).status === "complete";
  await runConcurrently(TRIGGER_CONCURRENCY, count, (n) =>
    pollUntil(() => isComplete(ids[n] ?? ""), { intervalMs: POLL_INTERVAL_MS }),
  );
  return count / ((performance.now() - startedAt) / 1000);
}

async function measureKvPutMs({ platform, isQuick }: BenchContext): Promise<number> {
  const { samplesMs } = await timeConcurrently(1, isQuick ? 20 : 60, async () => {
    assert.equal((await fetch(`${platform.url}/put/${randomUUID()}`)).status, 200);
  });
  return percentile(samplesMs, 50);
}
