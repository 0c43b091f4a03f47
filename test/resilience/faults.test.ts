import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { waitUntil } from "../support/wait.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";
import { signWebhook } from "../support/sign-webhook.ts";

let world: World;
beforeAll(async () => {
  // Long enough to set a fault before the end.
  world = await startWorld({ runSeconds: 2 }, { WEBHOOK_DEADLINE: "4" });
});
afterAll(() => world.close());

const ListPage = z.object({ results: z.array(z.object({ id: z.string() })) });
const RecordError = z.object({ error: z.object({ code: z.string() }).nullable() });

const FAULTS = [
  { name: "500", rule: { kind: "status", status: 500 } },
  { name: "503", rule: { kind: "status", status: 503 } },
  { name: "408", rule: { kind: "status", status: 408 } },
  { name: "409", rule: { kind: "status", status: 409 } },
  {
    name: "429 with Retry-After",
    rule: { kind: "status", status: 429, headers: { "retry-after": "1" } },
  },
  { name: "half a body", rule: { kind: "truncate" } },
  { name: "HTML", rule: { kind: "html" } },
  { name: "a cut connection", rule: { kind: "cut" } },
  {
    name: "a status that is not terminal",
    rule: { kind: "replace", patch: { status: "in_progress", output: [] } },
  },
  {
    name: "JSON nested 2,000 levels deep",
    rule: { kind: "replace", patch: { tools: nestLists(2_000) } },
  },
];

function nestLists(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

test.concurrent.each(FAULTS)("a refetch that gets $name is repeated", async ({ rule }) => {
  const id = await world.trigger();
  await world.emulator.addFault({ method: "GET", path: `${id}$`, times: 1, ...rule });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({ status: "completed", verdict: "suspect", error: null });
  expect(record.observations.length).toBeGreaterThan(1);
  expect(record.observations[0]).not.toMatchObject({ http_status: 200, status: "completed" });
  expect(record.observations.at(-1)).toMatchObject({ http_status: 200, status: "completed" });
});

test.concurrent.each([3, 16])(
  "a webhook that arrives %i s before the create's answer loses nothing of the trigger's request",
  async (seconds) => {
    const input = `emulator: run 0.2 seconds, ${seconds}`;
    const lateAnswer = {
      kind: "delay",
      carry_out: true,
      seconds,
      metadata: { late: String(seconds) },
    };
    await world.emulator.addFault({ method: "POST", path: "^/v1/responses$", ...lateAnswer });
    const metadata = { late: String(seconds) };
    const record = await world.waitUntilSettled(await world.trigger({ input, metadata }));
    expect(record).toMatchObject({ status: "completed", started_by: "trigger" });
    expect(record).toMatchObject({ request: { input }, webhook: { type: "response.completed" } });
  },
);

test("a run whose webhook never arrives is observed at the deadline", async () => {
  await world.emulator.configure({ webhookDrop: true });
  const record = await world.waitUntilSettled(await world.trigger());
  await world.emulator.configure({ webhookDrop: false });
  expect(record).toMatchObject({ status: "completed", verdict: "suspect", webhook: null });
});

test("a refused refetch is recorded as an error, and POST /results/:id/refetch clears it", async () => {
  await world.emulator.addFault({
    method: "GET",
    path: "^/v1/responses/resp_",
    times: 1,
    kind: "status",
    status: 429,
    body: {
      error: { message: "No money left.", type: "x", param: null, code: "insufficient_quota" },
    },
  });
  const id = await world.trigger();
  await waitUntil(async () => {
    const record: unknown = await (await world.request(`/results/${id}`)).json();
    return RecordError.parse(record).error?.code === "insufficient_quota";
  });
  const answer = await world.request(`/results/${id}/refetch`, { method: "POST" });
  expect(answer.status).toBe(202);
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "completed", error: null });
});

test.each([
  { directive: "emulator: fail", status: "failed" },
  { directive: "emulator: incomplete", status: "incomplete" },
])("a response that ends as $status is recorded as $status", async ({ directive, status }) => {
  const record = await world.waitUntilSettled(await world.trigger({ input: directive }));
  expect(record).toMatchObject({ status, webhook: { type: `response.${status}` } });
});

test("POST /webhook alone records an external response", async () => {
  const id = await createExternalResponse();
  await waitUntil(async () => (await world.request(`/results/${id}`)).status === 200);
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({ started_by: "webhook", status: "completed", request: null });
  const { results } = ListPage.parse(await (await world.request("/results?limit=100")).json());
  expect(results.map((row) => row.id)).toContain(id);
});

test("with RECORD_EXTERNAL off an external response is not recorded, and our own is", async () => {
  const other = await startWorld({}, { RECORD_EXTERNAL: "off", WEBHOOK_DEADLINE: "30" });
  try {
    const ours = await other.waitUntilSettled(await other.trigger());
    expect(ours.verdict).toBe("suspect");
    const id = await createExternalResponse(other);
    await waitUntil(async () => (await listAcceptedWebhooks(other)).includes(id));
    await waitUntil(async () => (await other.request(`/results/${id}?wait=5`)).status === 404);
    expect(
      other.kvOperations().filter(({ operation, key }) => operation === "put" && key.includes(id)),
    ).toEqual([]);
  } finally {
    await other.close();
  }
});

test("POST /webhook accepts a test event for a sample id, and the list does not show it", async () => {
  const id = "resp_sample_of_the_dashboard";
  const body = JSON.stringify({
    id: "evt_1",
    object: "event",
    type: "response.completed",
    data: { id },
  });
  const answer = await fetch(`${world.url}/webhook`, {
    method: "POST",
    body,
    headers: signWebhook(body, WEBHOOK_SECRET),
  });
  expect(answer.status).toBe(200);
  const record: unknown = await (await world.request(`/results/${id}`)).json();
  expect(record).toMatchObject({ id, verdict: "pending" });
  const { results } = ListPage.parse(await (await world.request("/results?limit=100")).json());
  expect(results.map((row) => row.id)).not.toContain(id);
});

/** Starts a response that the Worker does not know. */
async function createExternalResponse(target = world): Promise<string> {
  const answer = await target.emulator.sendToApi("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "gpt-5.2", input: "hello", background: true }),
  });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

/** Returns the ids of the responses whose webhooks the Worker has accepted. */
async function listAcceptedWebhooks({ emulator }: World): Promise<string[]> {
  const deliveries = await emulator.listDeliveries();
  return deliveries.filter(({ status }) => status === 200).map(({ response_id }) => response_id);
}
