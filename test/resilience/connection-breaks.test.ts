import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { ResponseRecord } from "../../src/record/schema.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { containing } from "../support/matchers.ts";
import { LONG } from "../support/property-runs.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.3 }, {}, {}, { unlimited: true });
});
afterEach(() => world.emulator.clearFaults());
afterAll(() => world.close());

const EXAMPLE_OUTPUTS = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

/** Connections that break, of all connections; more in the long tests. */
const [BROKEN, ALL] = LONG ? [30, 100] : [8, 25];

const TriggerAnswer = z.object({
  id: z.string().optional(),
  error: z.object({ code: z.string() }).optional(),
});

/** The example, with time after its call for a connection to break. */
const SLOW_EXAMPLE = {
  hold: true,
  input: "emulator: run 3 seconds\nRun Python that prints exactly: BG_STDOUT_OK",
  tools: CODE_INTERPRETER,
};

/** Cuts the connection of the next held run after some events. */
async function cutNextAfter(events: number): Promise<void> {
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...where, kind: "cut", after_events: events });
}

/** How many create requests OpenAI has received. */
async function countCreates(): Promise<number> {
  const requests = await world.emulator.listRequests();
  return requests.filter(isCreate).length;
}

function isCreate({ method, path }: LoggedRequest): boolean {
  return method === "POST" && path === "/v1/responses";
}

function listChannels({ observations }: ResponseRecord): string[] {
  return [...new Set(observations.map(({ channel }) => channel))];
}

test("a held run whose connection breaks while OpenAI goes on is refetched, and its outputs are captured", async () => {
  await world.emulator.configure({ onDisconnect: "complete" });
  await cutNextAfter(6);
  const record = await world.waitUntilSettled(await world.trigger({ hold: true }));
  expect(record).toMatchObject({
    status: "completed",
    verdict: "captured",
    held: { broke_at: "5 response.code_interpreter_call.in_progress" },
    calls: [{ source: "refetch", outputs: EXAMPLE_OUTPUTS }],
  });
  expect(listChannels(record)).toEqual(["held", "refetch"]);
});

test("a held run that OpenAI cancels when its connection breaks is recorded as cancelled, with broke_at", async () => {
  await world.emulator.configure({ onDisconnect: "cancel" });
  await cutNextAfter(6);
  const record = await world.waitUntilSettled(await world.trigger(SLOW_EXAMPLE));
  expect(record).toMatchObject({
    status: "cancelled",
    verdict: "no_calls",
    held: { broke_at: "5 response.code_interpreter_call.in_progress" },
    calls: [],
  });
});

test("outputs that came before the connection broke are recovered, even from a cancelled run", async () => {
  await world.emulator.configure({ onDisconnect: "cancel" });
  await cutNextAfter(14);
  const id = await world.trigger(SLOW_EXAMPLE);
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    status: "cancelled",
    verdict: "recovered",
    held: { broke_at: "13 response.output_item.done" },
    calls: [{ source: "held", verdict: "recovered", outputs: EXAMPLE_OUTPUTS }],
  });
  expect(await (await world.request(`/results/${id}/outputs`)).text()).toBe("BG_STDOUT_OK\n");
});

test("POST /trigger with hold passes on OpenAI's refusal, and holds nothing", async () => {
  const answer = await world.request("/trigger", {
    method: "POST",
    body: JSON.stringify({ hold: true, input: "hello", no_such_parameter: 1 }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: "unknown_parameter" } });
});

test("POST /trigger with hold answers 502 may_have_started when OpenAI starts too late, and the same key repeats no create", async () => {
  const before = await countCreates();
  await world.emulator.addFault({
    method: "POST",
    path: "^/v1/responses$",
    times: 1,
    kind: "hang",
  });
  const headers = { "idempotency-key": "started-too-late" };
  for (let times = 0; times < 2; times += 1) {
    const init = { method: "POST", body: '{"hold":true}', headers };
    const answer = await world.request("/trigger", init);
    expect(answer.status).toBe(502);
    const message = containing("did not start the run within 20 s");
    expect(await answer.json()).toMatchObject({ error: { code: "may_have_started", message } });
  }
  expect(await countCreates()).toBe(before + 1);
});

test("a held run is captured when its connection stays open after the last event", async () => {
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...where, kind: "hang", after_events: 1_000 });
  const record = await world.waitUntilSettled(await world.trigger({ hold: true }));
  expect(record).toMatchObject({ verdict: "captured", held: { broke_at: null } });
  expect(listChannels(record)).toEqual(["held"]);
});

test.each([
  ["a connection that is cut before OpenAI's first event", { kind: "cut" }],
  ["a create that OpenAI answers with 500", { kind: "status", status: 500 }],
])(
  "POST /trigger with hold answers 502 may_have_started to %s, and promises no webhook",
  async (_, rule) => {
    await world.emulator.addFault({ method: "POST", path: "^/v1/responses$", times: 1, ...rule });
    const answer = await world.request("/trigger", { method: "POST", body: '{"hold":true}' });
    expect(answer.status).toBe(502);
    const message = containing("no webhook will report it");
    expect(await answer.json()).toMatchObject({ error: { code: "may_have_started", message } });
  },
);

test.each(["cancel", "complete"] as const)(
  `when ${BROKEN} of ${ALL} connections break at any event and runs then %s, every record matches OpenAI`,
  async (onDisconnect) => {
    await world.emulator.configure({ onDisconnect });
    for (let n = 0; n < BROKEN; n += 1) await cutNextAfter(1 + ((n * 7) % 20));
    const before = await countCreates();
    const ids = await Promise.all(Array.from({ length: ALL }, triggerHeld));
    const records = await Promise.all(
      ids.filter((id) => id !== null).map((id) => world.waitUntilSettled(id)),
    );
    await Promise.all(records.map(expectTrueRecord));
    const broken = records.filter((record) => record.held?.broke_at !== null);
    // A connection that breaks with OpenAI's first event is never acknowledged.
    const unacknowledged = ids.filter((id) => id === null);
    expect(broken.length + unacknowledged.length).toBe(BROKEN);
    expect(broken.length).toBeGreaterThan(BROKEN / 3);
    expect(await countCreates()).toBe(before + ALL);
    expect(new Set(records.map((record) => record.id)).size).toBe(records.length);
  },
  240_000,
);

/** Triggers a held run; returns its id, or null when it may have started. */
async function triggerHeld(): Promise<string | null> {
  const answer = await world.request("/trigger", { method: "POST", body: '{"hold":true}' });
  const body = TriggerAnswer.parse(await answer.json());
  if (answer.status === 202) return body.id ?? null;
  expect(body.error?.code).toBe("may_have_started");
  return null;
}

/** Expects a record to say what OpenAI says of its run. */
async function expectTrueRecord(record: ResponseRecord): Promise<void> {
  const { status } = await world.emulator.getRun(record.id);
  expect(record.status).toBe(status);
  expect(record).toMatchObject(toExpectedRecord(record, status));
}

function toExpectedRecord(record: ResponseRecord, status: string): object {
  const broughtOutputs = record.observations[0]?.calls.some((call) => call.outputs === "populated");
  const call = { outputs: EXAMPLE_OUTPUTS, source: "held" };
  if (record.held?.broke_at === null) {
    const observations = [{ channel: "held" }];
    return { verdict: "captured", calls: [{ ...call, verdict: "captured" }], observations };
  }
  if (broughtOutputs === true)
    return { verdict: "recovered", calls: [{ ...call, verdict: "recovered" }] };
  if (status !== "completed") return { verdict: "no_calls", calls: [] };
  return { verdict: "captured", calls: [{ outputs: EXAMPLE_OUTPUTS, source: "refetch" }] };
}
