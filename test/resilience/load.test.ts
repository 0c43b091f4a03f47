import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { LONG } from "../support/property-runs.ts";
import { waitFor } from "../support/wait.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { startWorld, type World } from "../support/world.ts";

// The tests wait for gaps that double.
vi.setConfig({ testTimeout: 240_000 });

const RUNS = LONG ? 60 : 12;
/** How long OpenAI refuses everything. */
const REFUSAL_MS = LONG ? 60_000 : 8_000;
const NEW_KEY = "sk-the-new-key";

let world: World | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

test("while OpenAI answers 429 to everything the gaps between refetches double, and afterwards every run is recorded", async () => {
  const limited = await startWithoutWebhooks();
  const refusal = { path: "^/v1/", times: -1, kind: "status", status: 429 };
  await limited.emulator.addFault({ method: "GET", ...refusal });
  const ids = await Promise.all(Array.from({ length: RUNS }, () => limited.trigger()));
  await limited.emulator.addFault(refusal);
  const refused = await limited.request("/trigger", { method: "POST", body: "{}" });
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
  await sleep(REFUSAL_MS);
  const refetchTimes = await waitForSecondRefetches(limited, ids);
  await limited.emulator.clearFaults();

  const records = await Promise.all(ids.map((id) => limited.waitUntilSettled(id)));
  for (const record of records) expect(record).toMatchObject({ status: "completed", error: null });
  for (const id of ids) {
    const times = refetchTimes.get(id) ?? [];
    const duration = (times.at(-1) ?? 0) - (times[0] ?? 0);
    expect(duration).toBeGreaterThanOrEqual(toShortestTime(times.length));
  }
});

test("a refetch that is refused with Retry-After is not repeated earlier", async () => {
  const limited = await startWithoutWebhooks();
  const rule = { kind: "status", status: 429, headers: { "retry-after": "4" } };
  await limited.emulator.addFault({ method: "GET", path: "^/v1/responses/", times: 1, ...rule });
  const id = await limited.trigger();
  expect(await limited.waitUntilSettled(id)).toMatchObject({ status: "completed" });
  const refetchTimes = toRefetchTimes(await limited.emulator.listRequests());
  const [first = 0, second = 0] = refetchTimes.get(id) ?? [];
  expect(second - first).toBeGreaterThanOrEqual(4_000);
});

test("a key that is revoked during a run is recorded as an error, and the record recovers when the key is replaced", async () => {
  const recorder = await startProcessWorld({ runSeconds: 1 });
  try {
    const started = await recorder.request("/trigger", { method: "POST" });
    const { id } = z.object({ id: z.string() }).parse(await started.json());
    await recorder.emulator.configure({ apiKey: NEW_KEY });
    const refused = await readRecordOnce(
      recorder,
      id,
      ({ observations }) => observations.length > 0,
    );
    expect(refused).toMatchObject({ verdict: "pending", error: { code: "invalid_api_key" } });
    expect(refused.observations).toMatchObject([{ http_status: 401, status: null }]);
    const trigger = await recorder.request("/trigger", { method: "POST" });
    expect(trigger.status).toBe(502);
    expect(await trigger.json()).toMatchObject({ error: { code: "openai_unauthorized" } });

    await recorder.restart({ OPENAI_API_KEY: NEW_KEY });
    await recorder.request(`/results/${id}/refetch`, { method: "POST" });
    const record = await readRecordOnce(recorder, id, ({ settled_at }) => settled_at !== null);
    expect(record).toMatchObject({ status: "completed", started_by: "trigger", error: null });
    expect(record.observations[0]).toMatchObject({ http_status: 401 });
  } finally {
    await recorder.close();
  }
});

/** Starts a world without webhooks, in which only the schedule causes refetches. */
async function startWithoutWebhooks(): Promise<World> {
  world = await startWorld({ webhookDrop: true }, { WEBHOOK_DEADLINE: "1" });
  return world;
}

/** Returns the times of the refetches of each response, once each was refetched twice. */
function waitForSecondRefetches(
  { emulator }: World,
  ids: string[],
): Promise<Map<string, number[]>> {
  return waitFor(
    async () => toRefetchTimes(await emulator.listRequests()),
    (times) => ids.every((id) => (times.get(id)?.length ?? 0) > 1),
  );
}

/** Returns the times in milliseconds at which each response was retrieved. */
function toRefetchTimes(requests: LoggedRequest[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { at, method, path } of requests) {
    const id = /^\/v1\/responses\/(resp_\w+)$/.exec(path)?.[1];
    if (method !== "GET" || id === undefined) continue;
    times.set(id, [...(times.get(id) ?? []), Date.parse(at)]);
  }
  return times;
}

/** Returns the shortest time in milliseconds for a number of refetches: their gaps double from 2 s up to 5 minutes. */
function toShortestTime(refetches: number): number {
  const gaps = Array.from({ length: refetches - 1 }, (_, index) => Math.min(2 ** (index + 1), 300));
  return gaps.reduce((sum, gap) => sum + gap, 0) * 1000;
}

/** Reads a record until it passes. */
function readRecordOnce(
  recorder: ProcessWorld,
  id: string,
  passes: (record: ResponseRecord) => boolean,
): Promise<ResponseRecord> {
  return waitFor(async () => {
    const answer = await recorder.request(`/results/${id}`);
    return ResponseRecord.parse(await answer.json());
  }, passes);
}
