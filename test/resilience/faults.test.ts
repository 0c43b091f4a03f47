import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";
import { sign } from "../support/sign.ts";

let world: World;
beforeAll(async () => {
  // Long enough for a fault to be set before the end.
  world = await startWorld({ runSeconds: 2 }, { WEBHOOK_DEADLINE: "4" });
});
afterAll(() => world.close());

const Row = z.object({ id: z.string(), verdict: z.string() });
const List = z.object({ results: z.array(Row) });

const SOONER = [
  { name: "500", rule: { kind: "status", status: 500 } },
  { name: "503", rule: { kind: "status", status: 503 } },
  { name: "408", rule: { kind: "status", status: 408 } },
  { name: "409", rule: { kind: "status", status: 409 } },
  {
    name: "429 for its rate",
    rule: { kind: "status", status: 429, headers: { "retry-after": "1" } },
  },
  { name: "half a body", rule: { kind: "truncate" } },
  { name: "HTML", rule: { kind: "html" } },
  { name: "a cut connection", rule: { kind: "cut" } },
  {
    name: "a status that isn't terminal",
    rule: { kind: "replace", patch: { status: "in_progress", output: [] } },
  },
  {
    name: "JSON nested 2,000 levels deep",
    rule: { kind: "replace", patch: { tools: deep(2_000) } },
  },
];

function deep(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

test.concurrent.each(SOONER)("after $name the response is looked at again", async ({ rule }) => {
  const id = await world.trigger();
  await world.fault({ method: "GET", path: `${id}$`, times: 1, ...rule });
  const record = await world.settled(id);
  expect(record).toMatchObject({ status: "completed", verdict: "suspect", error: null });
  expect(record.observations.length).toBeGreaterThan(1);
  expect(record.observations[0]).not.toMatchObject({ http_status: 200, status: "completed" });
  expect(record.observations.at(-1)).toMatchObject({ http_status: 200, status: "completed" });
});

test.concurrent.each([3, 16])(
  "a webhook that comes %i s before the create's answer loses nothing of what was asked for",
  async (seconds) => {
    const input = `emulator: run 0.2 seconds, ${seconds}`;
    const late = { kind: "delay", carry_out: true, seconds, metadata: { late: String(seconds) } };
    await world.fault({ method: "POST", path: "^/v1/responses$", ...late });
    const metadata = { late: String(seconds) };
    const record = await world.settled(await world.trigger({ input, metadata }));
    expect(record).toMatchObject({ status: "completed", started_by: "trigger" });
    expect(record).toMatchObject({ request: { input }, webhook: { type: "response.completed" } });
  },
);

test("a webhook that never comes is made up for by the deadline", async () => {
  await world.emulate({ webhookDrop: true });
  const record = await world.settled(await world.trigger());
  await world.emulate({ webhookDrop: false });
  expect(record).toMatchObject({ status: "completed", verdict: "suspect", webhook: null });
});

test("a refusal is kept as an error, and a wish to look now mends it", async () => {
  await world.fault({
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
  await until(async () => {
    const record: unknown = await (await world.ask(`/results/${id}`)).json();
    const error = z
      .object({ error: z.object({ code: z.string() }).nullable() })
      .parse(record).error;
    return error?.code === "insufficient_quota";
  });
  const looked = await world.ask(`/results/${id}/refetch`, { method: "POST" });
  expect(looked.status).toBe(202);
  expect(await world.settled(id)).toMatchObject({ status: "completed", error: null });
});

test.each([
  { directive: "emulator: fail", status: "failed" },
  { directive: "emulator: incomplete", status: "incomplete" },
])("a response that ends as $status is recorded as that", async ({ directive, status }) => {
  const record = await world.settled(await world.trigger({ input: directive }));
  expect(record).toMatchObject({ status, webhook: { type: `response.${status}` } });
});

test("a stranger's response is recorded from its webhook alone", async () => {
  const id = await stranger();
  await until(async () => (await world.ask(`/results/${id}`)).status === 200);
  const record = await world.settled(id);
  expect(record).toMatchObject({ started_by: "webhook", status: "completed", request: null });
  const { results } = List.parse(await (await world.ask("/results?limit=100")).json());
  expect(results.map((row) => row.id)).toContain(id);
});

test("a stranger is not recorded where RECORD_EXTERNAL is off, our own response is", async () => {
  const other = await startWorld({}, { RECORD_EXTERNAL: "off", WEBHOOK_DEADLINE: "30" });
  try {
    const ours = await other.settled(await other.trigger());
    expect(ours.verdict).toBe("suspect");
    const id = await stranger(other);
    await until(async () => (await deliveries(other)).includes(id));
    await until(async () => (await other.ask(`/results/${id}?wait=5`)).status === 404);
    expect(other.kv().filter((done) => done.operation === "put" && done.key.includes(id))).toEqual(
      [],
    );
  } finally {
    await other.close();
  }
});

test("a test event for a sample id is accepted, and not listed", async () => {
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
    headers: sign(body, WEBHOOK_SECRET),
  });
  expect(answer.status).toBe(200);
  const record: unknown = await (await world.ask(`/results/${id}`)).json();
  expect(record).toMatchObject({ id, verdict: "pending" });
  const { results } = List.parse(await (await world.ask("/results?limit=100")).json());
  expect(results.map((row) => row.id)).not.toContain(id);
});

async function stranger(where = world): Promise<string> {
  const answer = await fetch(`${where.emulator.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: "Bearer sk-emulated-for-tests", "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.2", input: "hello", background: true }),
  });
  return z.object({ id: z.string() }).parse(await answer.json()).id;
}

async function deliveries(where: World): Promise<string[]> {
  const Deliveries = z.array(z.object({ response_id: z.string(), status: z.number().nullable() }));
  const made = Deliveries.parse(await where.told("/deliveries"));
  return made.filter(({ status }) => status === 200).map((delivery) => delivery.response_id);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
