import { expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { RECORDER_WORKER, setKvMode } from "../support/recorder-worker.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { findFilesWith } from "../support/state-files.ts";
import { waitUntil } from "../support/wait.ts";

const Started = z.object({ id: z.string() });

test("kill -9 of workerd between trigger and webhook loses nothing after a restart", async () => {
  const world = await startProcessWorld({ webhookBackoff: 0.5, runSeconds: 2 });
  try {
    const id = await trigger(world);
    await world.kill();
    // No one receives the first delivery; the emulator retries it.
    await waitUntil(async () => {
      const deliveries = await world.emulator.listDeliveries();
      return deliveries.some(({ response_id, status }) => response_id === id && status === null);
    });
    await world.restart();
    const result = await world.request(`/results/${id}?wait=60&until=settled`);
    const record = ResponseRecord.parse(await result.json());
    expect(record).toMatchObject({
      id,
      status: "completed",
      verdict: "suspect",
      started_by: "trigger",
    });
    expect(record.request).not.toBeNull();
    expect(record.webhook).not.toBeNull();
  } finally {
    await world.close();
  }
});

/** Brings a run to a moment at which workerd is killed. */
type BringToMoment = (world: ProcessWorld) => Promise<string>;

const MOMENTS: { moment: string; bringToMoment: BringToMoment; refetches: number }[] = [
  { moment: "before the deadline", bringToMoment: trigger, refetches: 1 },
  { moment: "during a refetch", bringToMoment: triggerWithHangingRefetch, refetches: 2 },
  { moment: "between refetch and KV put", bringToMoment: triggerWithHangingKv, refetches: 1 },
];

test.each(MOMENTS)(
  "a run goes on without any request after kill -9 of workerd $moment, and no answer is asked for twice",
  async ({ bringToMoment, refetches }) => {
    const world = await startProcessWorld(
      { webhookDrop: true, backgroundOutputs: "present", runSeconds: 0.1, queueSeconds: 0.1 },
      { main: RECORDER_WORKER, vars: { WEBHOOK_DEADLINE: "3" } },
    );
    try {
      const id = await bringToMoment(world);
      expect(isInKv(world, id)).toBe(false);
      await world.restart();
      // Nothing asks the Worker for anything meanwhile.
      await waitUntil(async () => isInKv(world, id));
      expect(await countRefetches(world, id)).toBe(refetches);
      const result = await world.request(`/results/${id}?wait=60&until=settled`);
      expect(ResponseRecord.parse(await result.json())).toMatchObject({
        id,
        status: "completed",
        verdict: "captured",
        started_by: "trigger",
        webhook: null,
        calls: [{ outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
      });
      expect(await countRefetches(world, id)).toBe(refetches);
    } finally {
      await world.close();
    }
  },
);

async function triggerWithHangingRefetch(world: ProcessWorld): Promise<string> {
  const rule = { method: "GET", path: "^/v1/responses/", times: 1, kind: "hang" };
  await world.emulator.addFault(rule);
  const id = await trigger(world);
  await waitUntil(async () => (await countRefetches(world, id)) === 1);
  return id;
}

// The outputs can be read already, although KV does not have them.
async function triggerWithHangingKv(world: ProcessWorld): Promise<string> {
  await setKvMode(world.url, "hangs");
  const id = await trigger(world);
  await world.request(`/results/${id}?wait=60`);
  const outputs = await world.request(`/results/${id}/outputs`);
  expect(await outputs.text()).toBe("BG_STDOUT_OK\n");
  return id;
}

/** Triggers a run; returns its id. */
async function trigger(world: ProcessWorld): Promise<string> {
  const answer = await world.request("/trigger", { method: "POST" });
  return Started.parse(await answer.json()).id;
}

/** Whether KV has the record of a run. It looks at the files of KV, so that no request reaches the Worker. */
function isInKv({ state }: ProcessWorld, id: string): boolean {
  return findFilesWith(`record:${id}`, state).some((path) => path.includes("/kv/"));
}

async function countRefetches({ emulator }: ProcessWorld, id: string): Promise<number> {
  const requests = await emulator.listRequests();
  const refetches = requests.filter(({ path }) => path === `/v1/responses/${id}`);
  return refetches.length;
}
