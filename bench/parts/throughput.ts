// Part 3: whole responses a second, from trigger to record, compared with objects that do nothing else.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { pollUntil } from "../../scripts/lib/retry.ts";
import { percentile, runConcurrently, timeConcurrently } from "../load-generator.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { createPrintRequest } from "../requests.ts";
import type { ServerProcess } from "../server-processes.ts";

const TRIGGER_CONCURRENCY = 16;
const POLL_INTERVAL_MS = 50;

/** Routes of the platform's Worker. */
type BaselineRoute = "one-row" | "equivalent";

export async function measureThroughput(context: BenchContext): Promise<Measurement[]> {
  const { emulator, recorder, platform, isQuick } = context;
  const rounds = isQuick ? 1 : 2;
  const count = isQuick ? 12 : 64;
  const perSecond = {
    withCall: new Array<number>(),
    withoutCalls: new Array<number>(),
    oneRow: new Array<number>(),
    equivalent: new Array<number>(),
  };
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  for (let round = 0; round < rounds; round += 1) {
    perSecond.withCall.push(await measureRecordsPerSecond(context, count, createPrintRequest));
    perSecond.withoutCalls.push(
      await measureRecordsPerSecond(context, count, () => ({ input: "hello" })),
    );
    perSecond.oneRow.push(await measureRoute(platform, count, "one-row"));
    perSecond.equivalent.push(await measureRoute(platform, count, "equivalent"));
  }
  await emulator.changeSettings({ webhookUrl: null });
  const { withCall, withoutCalls, oneRow, equivalent } = perSecond;
  return [
    toMeasurement("responses with a call, compared with one row in a new object", withCall, oneRow),
    toMeasurement(
      "responses without calls, compared with one row in a new object",
      withoutCalls,
      oneRow,
    ),
    toMeasurement(
      "responses without calls, compared with as many calls, rows and writes",
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

async function measureRoute(
  platform: ServerProcess,
  count: number,
  route: BaselineRoute,
): Promise<number> {
  const { seconds } = await timeConcurrently(TRIGGER_CONCURRENCY, count, async () => {
    assert.equal((await fetch(`${platform.url}/${route}/${randomUUID()}`)).status, 200);
  });
  return count / seconds;
}

async function measureKvPutMs({ platform, isQuick }: BenchContext): Promise<number> {
  const { samplesMs } = await timeConcurrently(1, isQuick ? 20 : 60, async () => {
    assert.equal((await fetch(`${platform.url}/put/${randomUUID()}`)).status, 200);
  });
  return percentile(samplesMs, 50);
}
