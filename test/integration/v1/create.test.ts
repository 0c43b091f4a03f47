// What becomes of a create with `background: true`: held, or a background run; and what a caller sees of it.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { LoggedRequest } from "../../support/emulator-client.ts";
import { containing } from "../../support/matchers.ts";
import { waitFor } from "../../support/wait.ts";
import { startWorld, TOKEN, type World } from "../../support/world.ts";
import {
  ApiError,
  ApiResponse,
  createV1Client,
  EXAMPLE,
  EXAMPLE_OUTPUTS,
  getOutputs,
  type V1Client,
} from "./v1-client.ts";

let world: World;
let v1: V1Client;
beforeAll(async () => {
  world = await startWorld({}, {}, {}, { unlimited: true });
  v1 = createV1Client(world.url);
});
afterEach(async () => {
  await world.emulator.clearFaults();
  await world.emulator.clearRequests();
});
afterAll(() => world.close());

const PLAIN = { model: "gpt-5.2", input: "hello", background: true };
const CODE = { ...EXAMPLE, background: true };
const SOURCES = "web_search_call.action.sources";
const CREATE = { method: "POST", path: "^/v1/responses$" };

const WithMetadata = ApiResponse.extend({ metadata: z.record(z.string(), z.string()) });

async function post(
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; id: string; how: string | null; answer: Response }> {
  const init = { method: "POST", body: JSON.stringify(body), headers };
  const answer = await v1.request("/responses", init);
  const { id } = z.object({ id: z.string().default("") }).parse(await answer.clone().json());
  return { status: answer.status, id, how: answer.headers.get("x-recorder"), answer };
}

async function listCreates(): Promise<LoggedRequest[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses");
}

test.each([
  ["code interpreter", CODE, "held", false],
  [
    "the sources of a web search",
    { ...PLAIN, tools: [{ type: "web_search" }], include: [SOURCES] },
    "held",
    false,
  ],
  [
    "a web search without its sources",
    { ...PLAIN, tools: [{ type: "web_search" }] },
    "background; no_known_loss",
    true,
  ],
  ["no tools", PLAIN, "background; no_known_loss", true],
])(
  "POST /v1/responses with %s says in X-Recorder what became of the run",
  async (_, body, how, background) => {
    const created = await post(body);
    expect(created).toMatchObject({ status: 200, how });
    expect(await listCreates()).toMatchObject([{ body: { background } }]);
    expect(await created.answer.json()).toMatchObject({ background: true });
    expect(await world.waitUntilSettled(created.id)).toMatchObject({
      started_by: "v1",
      status: "completed",
      background,
      held: background ? null : { broke_at: null },
    });
  },
);

test("X-Recorder-Hold overrides what the recorder would do", async () => {
  expect(await post(PLAIN, { "x-recorder-hold": "on" })).toMatchObject({ how: "held" });
  expect(await post(CODE, { "x-recorder-hold": "off" })).toMatchObject({
    how: "background; header",
  });
  const creates = await listCreates();
  expect(creates).toMatchObject([{ body: { background: false } }, { body: { background: true } }]);
  for (const { headers } of creates) expect(headers).not.toHaveProperty("x-recorder-hold");
});

test("X-Recorder-Hold with another value is a 400 that says so, and starts nothing", async () => {
  const { answer, status } = await post(PLAIN, { "x-recorder-hold": "yes" });
  expect(status).toBe(400);
  const { error } = ApiError.parse(await answer.json());
  expect(error).toMatchObject({ type: "invalid_request_error", code: "invalid_value" });
  expect(error.message).toContain("X-Recorder-Hold: 'yes'");
  expect(await listCreates()).toEqual([]);
});

test("HOLD=always holds a run without tools, and HOLD=never none", async () => {
  const expected = [
    ["always", PLAIN, "held"],
    ["never", CODE, "background; setting"],
  ] as const;
  for (const [HOLD, body, how] of expected) {
    const other = await startWorld({}, { HOLD });
    const answer = await createV1Client(other.url).postResponse(body);
    expect(answer.headers.get("x-recorder")).toBe(how);
    await other.close();
  }
});

test("a background run is sent with the recorder's metadata pair, which /v1 shows nowhere", async () => {
  const metadata = { mine: "1" };
  const input = "emulator: run 2 seconds";
  const { id, answer } = await post({ ...PLAIN, input, metadata });
  expect(await listCreates()).toMatchObject([
    { body: { metadata: { mine: "1", response_recorder: containing("hold") } } },
  ]);
  const cancelled = await v1.request(`/responses/${id}/cancel`, { method: "POST" });
  const answers = [answer, await v1.request(`/responses/${id}`), cancelled];
  for (const one of answers) {
    expect(WithMetadata.parse(await one.json())).toMatchObject({ id, metadata });
  }
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "cancelled", metadata });
});

test("a stream of a recorded run has no metadata pair of the recorder, and everything else", async () => {
  const id = await world.trigger({ input: "hello", stream: true, metadata: { mine: "1" } });
  await world.waitUntilSettled(id);
  const path = `/responses/${id}?stream=true`;
  const [shown, own] = await Promise.all([
    v1.request(path).then((answer) => answer.text()),
    world.emulator.sendToApi(path).then((answer) => answer.text()),
  ]);
  expect(own).toContain("response_recorder");
  expect(shown).toBe(own.replaceAll(/,?"response_recorder":"(?:\\.|[^"\\])*"/g, ""));
  expect(shown).toContain("response.completed");
});

test("a background run whose caller uses all 16 pairs is sent with these alone", async () => {
  const pairs = Array.from({ length: 16 }, (_, index) => [`key-${index}`, "value"]);
  const metadata: unknown = Object.fromEntries(pairs);
  const { id, status } = await post({ ...PLAIN, metadata });
  expect(status).toBe(200);
  expect(await listCreates()).toMatchObject([{ body: { metadata } }]);
  expect(
    Object.keys(
      z.object({ metadata: z.record(z.string(), z.string()) }).parse((await listCreates())[0]?.body)
        .metadata,
    ),
  ).toHaveLength(16);
  expect(await world.waitUntilSettled(id)).toMatchObject({ started_by: "v1", metadata });
});

test("a create of more than 25 MiB runs in the background, and is recorded", async () => {
  const text = "naïve – 数据 ".repeat(1_700_000);
  const input = [{ role: "user", content: [{ type: "input_text", text: "hello" }] }];
  const held = { "x-recorder-hold": "on" };
  const { id, status, how } = await post({ ...PLAIN, input, instructions: text }, held);
  expect([status, how]).toEqual([200, "background; too_large"]);
  expect(await world.waitUntilSettled(id)).toMatchObject({
    started_by: "v1",
    status: "completed",
    held: null,
  });
  const shown = z
    .object({ instructions: z.string() })
    .parse(await (await v1.request(`/responses/${id}`)).json());
  expect(shown.instructions === text).toBe(true);
});

test("POST /v1/responses lets OpenAI refuse more than 25 MiB that are no JSON, declared or not", async () => {
  const spaces = new Uint8Array(25 * 1024 * 1024 + 1).fill(0x20);
  for (const body of [spaces, new Blob([spaces]).stream()]) {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const init = { method: "POST", body, duplex: "half", headers };
    const answer = await fetch(`${world.url}/v1/responses`, init);
    expect(answer.status).toBe(400);
    expect(ApiError.parse(await answer.json()).error.type).toBe("invalid_request_error");
  }
});

test("a foreground create of more than 25 MiB is forwarded", async () => {
  const instructions = "x".repeat(26 * 1024 * 1024);
  const { status, how } = await post({ ...PLAIN, background: false, instructions });
  expect([status, how]).toEqual([200, null]);
});

test.each([["on"], ["off"]])(
  "a run is recorded when its caller hangs up before the answer, X-Recorder-Hold: %s",
  async (hold) => {
    await world.emulator.addFault({ ...CREATE, times: 1, kind: "delay", seconds: 1.5 });
    const metadata = { hung_up: hold };
    const abort = new AbortController();
    const sending = fetch(`${world.url}/v1/responses`, {
      method: "POST",
      body: JSON.stringify({ ...PLAIN, metadata }),
      headers: { authorization: `Bearer ${TOKEN}`, "x-recorder-hold": hold },
      signal: abort.signal,
    });
    await waitFor(listCreates, (creates) => creates.length === 1);
    abort.abort();
    await expect(sending).rejects.toThrow("abort");
    const List = z.object({ results: z.array(z.object({ status: z.string() })) });
    const path = `/results?metadata[hung_up]=${hold}`;
    const list = await waitFor(
      async () => List.parse(await (await world.request(path)).json()),
      ({ results }) => results[0]?.status === "completed",
    );
    expect(list.results).toHaveLength(1);
  },
);

test("outputs that OpenAI lost are joined to its answer, and hidden from who did not ask for them", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const { id } = await post(CODE, { "x-recorder-hold": "off" });
  await world.waitUntilSettled(id);
  await world.emulator.configure({ backgroundOutputs: "empty" });
  const own = ApiResponse.parse(
    await (
      await world.emulator.sendToApi(`/responses/${id}?include[]=code_interpreter_call.outputs`)
    ).json(),
  );
  expect(getOutputs(own)).toEqual([]);
  const shown = await v1.retrieve(id);
  expect(getOutputs(shown)).toEqual(EXAMPLE_OUTPUTS);
  expect(shown.output.map(({ id: item }) => item)).toEqual(own.output.map(({ id: item }) => item));
  const hidden = ApiResponse.parse(await (await v1.request(`/responses/${id}`)).json());
  expect(getOutputs(hidden)).toBeNull();
});

test("a background run that OpenAI has deleted is shown from its record, and is a 404 after DELETE", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const { id } = await post({ ...CODE, metadata: { mine: "1" } }, { "x-recorder-hold": "off" });
  await world.waitUntilSettled(id);
  const before = await v1.retrieve(id);
  const hiddenBefore: unknown = await (await v1.request(`/responses/${id}`)).json();
  await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
  await world.emulator.configure({ backgroundOutputs: "empty" });
  expect(await v1.retrieve(id)).toEqual(before);
  expect(await (await v1.request(`/responses/${id}`)).json()).toEqual(hiddenBefore);
  expect((await v1.request(`/responses/${id}`, { method: "DELETE" })).status).toBe(200);
  expect((await v1.request(`/responses/${id}`)).status).toBe(404);
  expect((await world.request(`/results/${id}`)).status).toBe(404);
});

test("a create with a stored prompt and no model is sent without one", async () => {
  const prompt = { id: "pmpt_1" };
  for (const hold of ["on", "off"]) {
    await post({ prompt, background: true, input: "hello" }, { "x-recorder-hold": hold });
  }
  await world.trigger({ prompt, input: "hello" });
  const bodies = (await listCreates()).map(({ body }) => body);
  expect(bodies).toMatchObject([{ prompt }, { prompt }, { prompt }]);
  for (const body of bodies) expect(body).not.toHaveProperty("model");
});

test("a connection that broke shows what had come, a terminal status, and where it broke", async () => {
  const input = `emulator: run 3 seconds\n${EXAMPLE.input}`;
  await world.emulator.configure({ onDisconnect: "cancel" });
  await world.emulator.addFault({ ...CREATE, times: 1, kind: "cut", after_events: 14 });
  const { id } = await post({ ...CODE, input });
  const shown = await v1.waitForEnd(id);
  expect(shown).toMatchObject({
    status: "cancelled",
    background: true,
    error: {
      code: "server_error",
      message: containing("after event 13 response.output_item.done"),
    },
  });
  expect(getOutputs(shown)).toEqual(EXAMPLE_OUTPUTS);
});
