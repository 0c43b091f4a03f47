import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { startProcessWorld } from "../support/process-world.ts";
import { TOKEN } from "../support/world.ts";

const Id = z.object({ id: z.string() });
const Requests = z.array(z.looseObject({ method: z.string() }));
const headers = { authorization: `Bearer ${TOKEN}` };

test("kill -9 of workerd between trigger and webhook, then a restart, loses nothing", async () => {
  const world = await startProcessWorld({ webhookBackoff: 0.5, runSeconds: 2 });
  const { url, emulator } = world;
  try {
    const answer = await fetch(`${url}/trigger`, { method: "POST", headers });
    const { id } = Id.parse(await answer.json());
    await world.kill();
    // The emulator's first delivery meets nobody; it is sent again.
    await attempted(emulator.url, id);
    await world.restart();
    const result = await fetch(`${url}/results/${id}?wait=60`, { headers });
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

test("kill -9 of workerd while runs are held: none that was acknowledged is missing, and none is started twice", async () => {
  const world = await startProcessWorld({ webhookUrl: null, runSeconds: 3, interpreters: 1 });
  const { url, emulator } = world;
  try {
    const hold = async () => {
      const init = { method: "POST", headers, body: '{"hold":true}' };
      return Id.parse(await (await fetch(`${url}/trigger`, init)).json()).id;
    };
    const ids = await Promise.all([hold(), hold(), hold(), hold()]);
    // One more is between its POST and OpenAI's first word when the kill comes: it is never acknowledged.
    const fault = {
      method: "POST",
      path: "^/v1/responses$",
      kind: "delay",
      seconds: 30,
      carry_out: true,
    };
    await control(emulator.url, "faults", fault);
    const cutOff = hold().catch(() => "unheard");
    while ((await posts(emulator.url)) < ids.length + 1) await sleep(20);
    await world.kill();
    expect(await cutOff).toBe("unheard");
    await world.restart();
    for (const id of ids) await fetch(`${url}/results/${id}/refetch`, { method: "POST", headers });
    for (const id of ids) {
      const result = await fetch(`${url}/results/${id}?wait=60`, { headers });
      // OpenAI cancels a run whose connection ends.
      expect(ResponseRecord.parse(await result.json())).toMatchObject({
        id,
        status: "cancelled",
        verdict: "no_calls",
        held: { broke_at: "unknown" },
      });
    }
    expect(await posts(emulator.url)).toBe(ids.length + 1);
  } finally {
    await world.close();
  }
});

async function control(emulator: string, path: string, body?: object): Promise<unknown> {
  const type = { "content-type": "application/json" };
  const post = { method: "POST", body: JSON.stringify(body), headers: type };
  const init = body === undefined ? {} : post;
  return (await fetch(`${emulator}/_emulator/${path}`, init)).json();
}

async function posts(emulator: string): Promise<number> {
  const requests = Requests.parse(await control(emulator, "requests"));
  return requests.filter(({ method }) => method === "POST").length;
}

async function attempted(emulator: string, id: string): Promise<void> {
  const Deliveries = z.array(z.object({ response_id: z.string(), status: z.number().nullable() }));
  for (;;) {
    const made = Deliveries.parse(await (await fetch(`${emulator}/_emulator/deliveries`)).json());
    if (made.some((delivery) => delivery.response_id === id && delivery.status === null)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
