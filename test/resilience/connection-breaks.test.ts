import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { ResponseRecord } from "../../src/record/schema.ts";
import { LONG } from "../support/property-runs.ts";
import { API_KEY, startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.3 }, {}, {}, { unlimited: true });
});
afterEach(() => world.clearFaults());
afterAll(() => world.close());

const EXAMPLE = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];
const Posts = z.array(z.looseObject({ method: z.string(), path: z.string() }));

/** The long tests have more of them. */
const [BROKEN, ALL] = LONG ? [30, 100] : [8, 25];

const Truth = z.looseObject({ status: z.string() });
const Told = z.object({
  id: z.string().optional(),
  error: z.object({ code: z.string() }).optional(),
});

/** The example, with time left after its call for a connection to break. */
const SLOW = {
  hold: true,
  input: "emulator: run 3 seconds\nRun Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter", container: { type: "auto" } }],
};

/** The connection of the next held run is cut after so many events. */
async function cutAfter(events: number): Promise<void> {
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.fault({ ...where, kind: "cut", after_events: events });
}

async function posts(): Promise<number> {
  const requests = Posts.parse(await world.told("/requests"));
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses")
    .length;
}

function channels(record: ResponseRecord): string[] {
  return [...new Set(record.observations.map((seen) => seen.channel))];
}

test("a connection that breaks while OpenAI goes on is followed by looks, and the outputs are captured", async () => {
  await world.emulate({ onDisconnect: "complete" });
  await cutAfter(6);
  const record = await world.settled(await world.trigger({ hold: true }));
  expect(record).toMatchObject({
    status: "completed",
    verdict: "captured",
    held: { broke_at: "5 response.code_interpreter_call.in_progress" },
    calls: [{ source: "refetch", outputs: EXAMPLE }],
  });
  expect(channels(record)).toEqual(["held", "refetch"]);
});

test("a connection whose end cancels the run is recorded as cancelled, and says where it broke", async () => {
  await world.emulate({ onDisconnect: "cancel" });
  await cutAfter(6);
  const record = await world.settled(await world.trigger(SLOW));
  expect(record).toMatchObject({
    status: "cancelled",
    verdict: "no_calls",
    held: { broke_at: "5 response.code_interpreter_call.in_progress" },
    calls: [],
  });
});

test("outputs that came before the connection broke are recovered, also from a run that was cancelled", async () => {
  await world.emulate({ onDisconnect: "cancel" });
  await cutAfter(14);
  const id = await world.trigger(SLOW);
  const record = await world.settled(id);
  expect(record).toMatchObject({
    status: "cancelled",
    verdict: "recovered",
    held: { broke_at: "13 response.output_item.done" },
    calls: [{ source: "held", verdict: "recovered", outputs: EXAMPLE }],
  });
  expect(await (await world.ask(`/results/${id}/outputs`)).text()).toBe("BG_STDOUT_OK\n");
});

test("what OpenAI refuses is passed on, and nothing is held", async () => {
  const answer = await world.ask("/trigger", {
    method: "POST",
    body: JSON.stringify({ hold: true, input: "hello", no_such_parameter: 1 }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: "unknown_parameter" } });
});

test("a run that OpenAI begins too late is 503, and the same key doesn't start it again", async () => {
  const before = await posts();
  await world.fault({ method: "POST", path: "^/v1/responses$", times: 1, kind: "hang" });
  const headers = { "idempotency-key": "begun-too-late" };
  for (let times = 0; times < 2; times += 1) {
    const init = { method: "POST", body: '{"hold":true}', headers };
    const answer = await world.ask("/trigger", init);
    expect(answer.status).toBe(502);
    const message: unknown = expect.stringContaining("did not start the run within 20 s");
    expect(await answer.json()).toMatchObject({ error: { code: "may_have_started", message } });
  }
  expect(await posts()).toBe(before + 1);
});

test("a connection that stays open after its last event is as good as any", async () => {
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.fault({ ...where, kind: "hang", after_events: 1_000 });
  const record = await world.settled(await world.trigger({ hold: true }));
  expect(record).toMatchObject({ verdict: "captured", held: { broke_at: null } });
  expect(channels(record)).toEqual(["held"]);
});

test.each([
  ["a connection that is cut before OpenAI's first word", { kind: "cut" }],
  ["a run that OpenAI answers with 500", { kind: "status", status: 500 }],
])("%s may have started, and no webhook is promised", async (_, rule) => {
  await world.fault({ method: "POST", path: "^/v1/responses$", times: 1, ...rule });
  const answer = await world.ask("/trigger", { method: "POST", body: '{"hold":true}' });
  expect(answer.status).toBe(502);
  const message: unknown = expect.stringContaining("no webhook will report it");
  expect(await answer.json()).toMatchObject({ error: { code: "may_have_started", message } });
});

test.each(["cancel", "complete"] as const)(
  `${BROKEN} of ${ALL} connections break at any event, and runs then %s: every record is honest`,
  async (onDisconnect) => {
    await world.emulate({ onDisconnect });
    for (let n = 0; n < BROKEN; n += 1) await cutAfter(1 + ((n * 7) % 20));
    const before = await posts();
    const ids = await Promise.all(Array.from({ length: ALL }, acknowledged));
    const records = await Promise.all(
      ids.filter((id) => id !== null).map((id) => world.settled(id)),
    );
    await Promise.all(records.map(expectHonest));
    const broken = records.filter((record) => record.held?.broke_at !== null);
    // One that breaks together with OpenAI's first word was never acknowledged.
    const unheard = ids.filter((id) => id === null);
    expect(broken.length + unheard.length).toBe(BROKEN);
    expect(broken.length).toBeGreaterThan(BROKEN / 3);
    expect(await posts()).toBe(before + ALL);
    expect(new Set(records.map((record) => record.id)).size).toBe(records.length);
  },
  240_000,
);

async function acknowledged(): Promise<string | null> {
  const answer = await world.ask("/trigger", { method: "POST", body: '{"hold":true}' });
  const told = Told.parse(await answer.json());
  if (answer.status === 202) return told.id ?? null;
  expect(told.error?.code).toBe("may_have_started");
  return null;
}

// OpenAI itself is asked what came of the run.
async function expectHonest(record: ResponseRecord): Promise<void> {
  const url = `${world.emulator.url}/v1/responses/${record.id}?include[]=code_interpreter_call.outputs`;
  const headers = { authorization: `Bearer ${API_KEY}` };
  const truth = Truth.parse(await (await fetch(url, { headers })).json());
  expect(record.status).toBe(truth.status);
  expect(record).toMatchObject(expected(record, truth.status));
}

function expected(record: ResponseRecord, status: string): object {
  const seen = record.observations[0]?.calls.some((call) => call.outputs === "populated") ?? false;
  const call = { outputs: EXAMPLE, source: "held" };
  if (record.held?.broke_at === null) {
    const observations = [{ channel: "held" }];
    return { verdict: "captured", calls: [{ ...call, verdict: "captured" }], observations };
  }
  if (seen) return { verdict: "recovered", calls: [{ ...call, verdict: "recovered" }] };
  if (status !== "completed") return { verdict: "no_calls", calls: [] };
  return { verdict: "captured", calls: [{ outputs: EXAMPLE, source: "refetch" }] };
}
