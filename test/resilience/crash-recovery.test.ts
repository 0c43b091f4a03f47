import { expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { waitUntil } from "../support/wait.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";

const Started = z.object({ id: z.string() });

test("kill -9 of workerd between trigger and webhook loses nothing after a restart", async () => {
  const world = await startProcessWorld({ webhookBackoff: 0.5, runSeconds: 2 });
  try {
    const answer = await world.request("/trigger", { method: "POST" });
    const { id } = Started.parse(await answer.json());
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

test("kill -9 of workerd while runs are held loses no acknowledged run, and starts none twice", async () => {
  const world = await startProcessWorld({ runSeconds: 3, interpreters: 1 });
  try {
    const hold = () => triggerHeld(world);
    const ids = await Promise.all([hold(), hold(), hold(), hold()]);
    // One more waits for OpenAI's first event when the kill comes: it is never acknowledged.
    await world.emulator.addFault({
      method: "POST",
      path: "^/v1/responses$",
      kind: "delay",
      seconds: 30,
      carry_out: true,
    });
    const cutOff = hold().catch(() => "not acknowledged");
    await waitUntil(async () => (await countPosts(world)) === ids.length + 1);
    await world.kill();
    expect(await cutOff).toBe("not acknowledged");
    await world.restart();
    for (const id of ids) await world.request(`/results/${id}/refetch`, { method: "POST" });
    for (const id of ids) {
      const result = await world.request(`/results/${id}?wait=60&until=settled`);
      // OpenAI cancels a run whose connection ends.
      expect(ResponseRecord.parse(await result.json())).toMatchObject({
        id,
        status: "cancelled",
        verdict: "no_calls",
        held: { broke_at: "unknown" },
      });
    }
    expect(await countPosts(world)).toBe(ids.length + 1);
  } finally {
    await world.close();
  }
});

/** Triggers a held run; returns its id. */
async function triggerHeld(world: ProcessWorld): Promise<string> {
  const answer = await world.request("/trigger", { method: "POST", body: '{"hold":true}' });
  return Started.parse(await answer.json()).id;
}

async function countPosts({ emulator }: ProcessWorld): Promise<number> {
  const requests = await emulator.listRequests();
  return requests.filter(({ method }) => method === "POST").length;
}
