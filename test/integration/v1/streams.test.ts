// Background runs that are streamed through /v1: live, taken up again, and replayed.
import OpenAI from "openai";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  abandonAfter,
  CONNECTION_WORKER,
  killConnection,
  readConnectionName,
  removeConnection,
} from "../../support/connection-worker.ts";
import { startProcessWorld, type ProcessWorld } from "../../support/process-world.ts";
import {
  readAllServedEvents,
  readServedEvents,
  withoutRun,
  type ServedEvent,
} from "../../support/served-events.ts";
import { waitUntil } from "../../support/wait.ts";
import { TOKEN } from "../../support/world.ts";
import {
  ApiError,
  ApiResponse,
  createV1Client,
  EXAMPLE,
  getOutputs,
  INCLUDE_OUTPUTS,
  type V1Client,
} from "./v1-client.ts";

const OUTPUTS = "code_interpreter_call.outputs" as const;
const LAST = "response.completed";

let world: ProcessWorld;
let v1: V1Client;
let cases = 0;
beforeAll(async () => {
  // The test harness would hide from OpenAI that a connection was closed.
  world = await startProcessWorld(
    { queueSeconds: 0.1, runSeconds: 0.1, interpreters: 1, deltaCharacters: 8 },
    { main: CONNECTION_WORKER },
  );
  v1 = createV1Client(world.url);
});
beforeEach(async () => {
  await world.emulator.clearFaults();
  await world.emulator.configure({
    streamOutputs: "present",
    onDisconnect: "cancel",
    replayMinutes: null,
  });
});
afterAll(() => world.close());

const SCRIPT = [
  { code: 'print("one")' },
  { text: "abcdefg ".repeat(60), pace: 0.01 },
  { code: 'print("two")' },
];
const WAITS = { wait: 600 };

/** The body of a create that is answered by these steps. */
async function toBody(steps: object[]) {
  cases += 1;
  const metadata = { case: String(cases) };
  await world.emulator.addScriptFor(metadata, steps);
  const tools = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];
  return { model: "gpt-5.2", input: "scripted", tools, metadata, include: [OUTPUTS] };
}

async function create(steps: object[], more: object = {}): Promise<Response> {
  const body = { ...(await toBody(steps)), background: true, stream: true, ...more };
  return v1.postResponse(body);
}

function resume(id: string, after?: number, query = ""): Promise<Response> {
  const from = after === undefined ? "" : `&starting_after=${after}`;
  return v1.request(`/responses/${id}?stream=true${from}${query}`);
}

/** Reads up to an event that passes, and leaves. */
async function readUntil(
  answer: Response,
  passes: (event: ServedEvent) => boolean,
): Promise<ServedEvent[]> {
  const events: ServedEvent[] = [];
  for await (const event of readServedEvents(answer)) {
    events.push(event);
    if (passes(event)) return events;
  }
  throw new Error("The stream ended before the event.");
}

const isDelta = ({ type }: { type: string }) => type === "response.output_text.delta";
const idOf = ([first]: ServedEvent[]) => first?.response?.id ?? "";
const numbersOf = (events: { sequence_number: number }[]) =>
  events.map(({ sequence_number }) => sequence_number);
const countUp = (events: unknown[]) => events.map((_, index) => index);

async function waitUntilSettled(id: string): Promise<unknown> {
  return (await world.request(`/results/${id}?wait=60&until=settled`)).json();
}

function client(): OpenAI {
  return new OpenAI({ baseURL: `${world.url}/v1`, apiKey: TOKEN, maxRetries: 0 });
}

test("POST /v1/responses with background and stream serves events while the run goes on", async () => {
  const events = await readUntil(await create([...SCRIPT, WAITS]), isDelta);
  const id = idOf(events);
  expect(await world.emulator.getRun(id)).toMatchObject({ ended_at: null, background: false });
  expect(events.slice(0, 3)).toMatchObject([
    { type: "response.created", response: { status: "queued", background: true } },
    { type: "response.queued", response: { status: "queued", background: true } },
    { type: "response.in_progress", response: { status: "in_progress", background: true } },
  ]);
  await v1.request(`/responses/${id}/cancel`, { method: "POST" });
});

test("a streamed held run has the same events as OpenAI's own background run", async () => {
  const body = { ...(await toBody(SCRIPT)), background: true, stream: true };
  const init = { method: "POST", body: JSON.stringify(body) };
  const expected = await readAllServedEvents(await world.emulator.sendToApi("/responses", init));
  await world.emulator.addScriptFor(body.metadata, SCRIPT);
  const events = await readAllServedEvents(await v1.postResponse(body));
  expect(numbersOf(events)).toEqual(countUp(events));
  expect(withoutRun(events)).toEqual(withoutRun(expected));
  expect(JSON.stringify(events.at(-1))).toContain("two");
  expect(await waitUntilSettled(idOf(events))).toMatchObject({
    started_by: "v1",
    verdict: "captured",
    held: { broke_at: null },
  });
});

test("the SDK leaves in the middle, the run goes on, and another client gets the rest once, in order", async () => {
  const events: ResponseStreamEvent[] = [];
  let id = "";
  const body = { ...(await toBody(SCRIPT)), background: true, stream: true as const };
  for await (const event of await client().responses.create(body)) {
    events.push(event);
    if (event.type === "response.created") id = event.response.id;
    if (isDelta(event)) break;
  }
  const starting_after = events.at(-1)?.sequence_number ?? 0;
  const query = { stream: true as const, starting_after };
  for await (const event of await client().responses.retrieve(id, query)) events.push(event);
  expect(numbersOf(events)).toEqual(countUp(events));
  const last = events.at(-1);
  expect(last?.type === LAST && last.response.output[0]).toMatchObject({
    outputs: [{ type: "logs", logs: "one\n" }],
  });
  expect(await waitUntilSettled(id)).toMatchObject({ verdict: "captured" });
  expect(await readAllServedEvents(await resume(id))).toEqual(events);
});

test("responses.stream of the SDK takes a run up again by its id", async () => {
  const begun = await readUntil(await create(SCRIPT), isDelta);
  const response_id = idOf(begun);
  const starting_after = begun.at(-1)?.sequence_number ?? 0;
  const stream = client().responses.stream({ response_id, starting_after });
  const rest: ResponseStreamEvent[] = [];
  for await (const event of stream) rest.push(event);
  const final = await stream.finalResponse();
  expect(numbersOf([...begun, ...rest])).toEqual(countUp([...begun, ...rest]));
  expect(final).toMatchObject({ id: response_id, status: "completed", background: true });
  expect(getOutputs(ApiResponse.parse(final))).toEqual([{ type: "logs", logs: "one\n" }]);
});

test("readers that come, leave and come again while a Connection's object dies get every event once", async () => {
  const id = await world.trigger({ ...(await toBody(SCRIPT)), stream: true });
  const connection = await readConnectionName(world.url, id);
  const begun = await readUntil(await resume(id), isDelta);
  const readers = [-1, 2, 5].map(async (after) => readAllServedEvents(await resume(id, after)));
  await killConnection(world.url, connection);
  const [all = [], ...others] = await Promise.all(readers);
  expect(numbersOf(all)).toEqual(countUp(all));
  expect(all.at(-1)?.type).toBe(LAST);
  expect(all.slice(0, begun.length)).toEqual(begun);
  expect(others).toEqual([all.slice(3), all.slice(6)]);
});

test("a trigger's followed run is served with OpenAI's numbers, without the recorder's metadata, also when OpenAI replays it no more", async () => {
  const body = await toBody(SCRIPT);
  const id = await world.trigger({ ...body, stream: true });
  const events = await readAllServedEvents(await resume(id));
  const own = await world.emulator.sendToApi(`/responses/${id}?stream=true&${INCLUDE_OUTPUTS}`);
  const expected = await readAllServedEvents(own);
  expect(JSON.stringify(expected)).toContain("response_recorder");
  expect(events).toEqual(expected.map(withOwnMetadata(body.metadata)));
  await world.emulator.configure({ replayMinutes: 0 });
  const refused = await world.emulator.sendToApi(`/responses/${id}?stream=true`);
  expect(refused.status).toBe(400);
  expect(await readAllServedEvents(await resume(id, 4))).toEqual(events.slice(5));
});

function withOwnMetadata(metadata: object): (event: ServedEvent) => ServedEvent {
  return ({ response, ...event }) => ({
    ...event,
    ...(response === undefined ? {} : { response: { ...response, metadata } }),
  });
}

/** Creates a run that stays in the background. */
function createFollowed(body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, "x-recorder-hold": "off" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return fetch(`${world.url}/v1/responses`, init);
}

test("a streamed run that stays in the background has OpenAI's own events once, also when its Connection's object dies", async () => {
  const body = { ...(await toBody(SCRIPT)), background: true, stream: true };
  const begun = await readUntil(await createFollowed(body), isDelta);
  const id = idOf(begun);
  expect(await world.emulator.getRun(id)).toMatchObject({ ended_at: null, background: true });
  await killConnection(world.url, await readConnectionName(world.url, id));
  const rest = await readAllServedEvents(await resume(id, begun.at(-1)?.sequence_number));
  const own = await world.emulator.sendToApi(`/responses/${id}?stream=true&${INCLUDE_OUTPUTS}`);
  expect([...begun, ...rest]).toEqual(await readAllServedEvents(own));
  expect(await waitUntilSettled(id)).toMatchObject({
    started_by: "v1",
    verdict: "recovered",
    held: null,
    observations: [{ channel: "refetch" }, { channel: "stream" }],
  });
});

test("a run that stays in the background shows results in its stream only to who asks for them", async () => {
  const { include: _, ...body } = await toBody(SCRIPT);
  const answer = await createFollowed({ ...body, background: true, stream: true });
  const events = await readAllServedEvents(answer);
  expect(JSON.stringify(events)).not.toContain('"logs"');
  const added = await readAllServedEvents(await resume(idOf(events), -1, `&${INCLUDE_OUTPUTS}`));
  expect(JSON.stringify(added.at(-1))).toContain('"logs":"two');
  expect(await waitUntilSettled(idOf(events))).toMatchObject({ verdict: "recovered" });
});

test("a stream shows the results that its create or its GET asks for, and no others", async () => {
  const events = await readAllServedEvents(await create(SCRIPT, { include: undefined }));
  const id = idOf(events);
  expect(JSON.stringify(events)).not.toContain('"logs"');
  expect(JSON.stringify(events.at(-1))).toContain('"outputs":null');
  const added = JSON.stringify(
    await readAllServedEvents(await resume(id, 1, `&${INCLUDE_OUTPUTS}`)),
  );
  expect(added.match(/"logs":"one\\n"/g)).toHaveLength(2);
  expect(await readAllServedEvents(await resume(id))).toEqual(events);
  expect(await waitUntilSettled(id)).toMatchObject({ verdict: "captured" });
});

test("a stream leaves obfuscation out for who does not want it", async () => {
  const id = idOf(await readAllServedEvents(await create(SCRIPT)));
  const events = await readAllServedEvents(
    await resume(id, undefined, "&include_obfuscation=false"),
  );
  expect(events.some((event) => isDelta(event))).toBe(true);
  expect(JSON.stringify(events)).not.toContain("obfuscation");
});

test.each(["held", "followed"])(
  "GET /v1/responses/:id of a %s run in flight shows the items that are done",
  async (kind) => {
    const steps = [SCRIPT[0] ?? {}, WAITS];
    const body = await toBody(steps);
    const id =
      kind === "held"
        ? (await v1.create({ ...body, background: true })).id
        : await world.trigger({ ...body, stream: true });
    await waitUntil(async () => (await v1.retrieve(id)).output.length === 1);
    const shown = await v1.retrieve(id);
    expect(shown).toMatchObject({
      status: "in_progress",
      background: true,
      metadata: body.metadata,
      output: [{ type: "code_interpreter_call", status: "completed" }],
    });
    expect(shown["metadata"]).toEqual(body.metadata);
    expect(getOutputs(shown)).toEqual([{ type: "logs", logs: "one\n" }]);
    const plain = ApiResponse.parse(await (await v1.request(`/responses/${id}`)).json());
    expect(getOutputs(plain)).toBeNull();
    await v1.request(`/responses/${id}/cancel`, { method: "POST" });
  },
);

test.each(["held", "followed"])(
  "the stream of a %s run that is cancelled ends without a last event, as OpenAI's does",
  async (kind) => {
    const steps = [SCRIPT[0] ?? {}, WAITS];
    const id =
      kind === "held"
        ? idOf(await readUntil(await create(steps), ({ type }) => type.endsWith("item.done")))
        : await world.trigger({ ...(await toBody(steps)), stream: true });
    const reading = readAllServedEvents(await resume(id));
    await waitUntil(async () => (await v1.retrieve(id)).output.length === 1);
    const answer = await v1.request(`/responses/${id}/cancel`, { method: "POST" });
    expect(await answer.json()).toMatchObject({ id, status: "cancelled" });
    const events = await reading;
    expect(events.at(-1)?.type).toBe("response.output_item.done");
    expect(await readAllServedEvents(await resume(id))).toEqual(events);
  },
);

const CUT = { method: "POST", path: "^/v1/responses$", times: 1, kind: "cut" };

test("the stream of a hold that broke ends with the response that a refetch brings", async () => {
  await world.emulator.configure({ onDisconnect: "complete" });
  await world.emulator.addFault({ ...CUT, after_item: "code_interpreter_call" });
  const events = await readAllServedEvents(await create(SCRIPT));
  expect(numbersOf(events)).toEqual(countUp(events));
  expect(events.at(-2)?.type).toBe("response.output_item.done");
  const { response } = events.at(-1) ?? {};
  expect(events.at(-1)?.type).toBe(LAST);
  expect(response).toMatchObject({ id: idOf(events), status: "completed", background: true });
  expect(response?.["output"]).toHaveLength(3);
  // A caller whose last events were lost with the object has a higher number.
  expect(await readAllServedEvents(await resume(idOf(events), 900))).toMatchObject([
    { type: LAST, sequence_number: 901 },
  ]);
});

test("the stream of a hold that broke, and that OpenAI cancelled, ends with response.failed", async () => {
  await world.emulator.addFault({ ...CUT, after_item: "code_interpreter_call" });
  const events = await readAllServedEvents(await create(SCRIPT));
  expect(events.at(-1)).toMatchObject({
    type: "response.failed",
    sequence_number: events.length - 1,
    response: { status: "cancelled", error: { code: "server_error" } },
  });
  expect(JSON.stringify(events.at(-1)?.response)).toMatch(
    /broke after event \d+ response.output_item.done/,
  );
  const output = events.at(-1)?.response?.["output"];
  expect(getOutputs(ApiResponse.parse({ id: "", status: "", output }))).toEqual([
    { type: "logs", logs: "one\n" },
  ]);
});

test("the stream of a run whose end is never seen ends with response.failed and what had come", async () => {
  await abandonAfter(world.url, 3);
  await world.emulator.configure({ onDisconnect: "forget" });
  await world.emulator.addFault({ ...CUT, after_item: "code_interpreter_call" });
  const events = await readAllServedEvents(await create(SCRIPT));
  await abandonAfter(world.url, "never");
  expect(events.at(-1)).toMatchObject({
    type: "response.failed",
    response: { id: idOf(events), status: "failed", error: { code: "server_error" } },
  });
  const output = events.at(-1)?.response?.["output"];
  expect(getOutputs(ApiResponse.parse({ id: "", status: "", output }))).toEqual([
    { type: "logs", logs: "one\n" },
  ]);
});

test.each(["held", "followed"])(
  "a %s run whose events are not kept any more is replayed from its response, by the SDK too",
  async (kind) => {
    const id =
      kind === "held"
        ? idOf(await readAllServedEvents(await create(SCRIPT)))
        : await world.trigger({ ...(await toBody(SCRIPT)), stream: true });
    await waitUntilSettled(id);
    const whole = await readAllServedEvents(await resume(id));
    await removeConnection(world.url, await readConnectionName(world.url, id));
    const events = await readAllServedEvents(await resume(id));
    expect(numbersOf(events)).toEqual(countUp(events));
    expect(events.map(({ type }) => type)).toEqual([
      "response.created",
      ...Array.from({ length: 3 }, () => [
        "response.output_item.added",
        "response.output_item.done",
      ]).flat(),
      LAST,
    ]);
    expect(JSON.stringify(events)).not.toContain("response_recorder");
    const { response } = events.at(-1) ?? {};
    expect(response?.["output"]).toMatchObject([
      { outputs: [{ logs: "one\n" }] },
      { type: "message" },
      { outputs: [{ logs: "two\n" }] },
    ]);
    expect(response).toEqual(whole.at(-1)?.response);
    expect(await readAllServedEvents(await resume(id, 3))).toEqual(events.slice(4));
    const stream = client().responses.stream({ response_id: id });
    const final = await stream.finalResponse();
    expect(getOutputs(ApiResponse.parse(final))).toEqual([{ type: "logs", logs: "one\n" }]);
  },
);

test("the readers of a run that is deleted come to an end", async () => {
  const begun = await readUntil(await create([SCRIPT[0] ?? {}, WAITS]), ({ type }) =>
    type.endsWith("item.done"),
  );
  const id = idOf(begun);
  const reading = readAllServedEvents(await resume(id));
  await world.request(`/results/${id}`, { method: "DELETE" });
  expect((await reading).slice(0, begun.length)).toEqual(begun);
});

test("POST /v1/responses with background and stream passes OpenAI's refusal on, and rejects a stream that is no boolean as OpenAI does", async () => {
  const unknown = await create([], { no_such_parameter: 1 });
  expect(unknown.status).toBe(400);
  expect(ApiError.parse(await unknown.json()).error.code).toBe("unknown_parameter");
  const odd = await create([], { stream: "yes" });
  expect(odd.status).toBe(400);
  expect(ApiError.parse(await odd.json()).error.param).toBe("stream");
});

test.each(["x", "-2", "1.5", ""])(
  "GET /v1/responses/:id with stream rejects %j as starting_after",
  async (after) => {
    const { id } = await v1.create({ ...EXAMPLE, background: true });
    const answer = await v1.request(`/responses/${id}?stream=true&starting_after=${after}`);
    expect(answer.status).toBe(400);
    expect(ApiError.parse(await answer.json()).error.param).toBe("starting_after");
  },
);
