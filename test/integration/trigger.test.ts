import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { version } from "../../package.json" with { type: "json" };
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.emulator.clearRequests());
afterAll(() => world.close());

const Failure = z.object({
  error: z.object({ code: z.string(), message: z.string(), request_id: z.string().optional() }),
});

/** Triggers what the Worker or OpenAI refuses. */
async function triggerRefused(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await world.request("/trigger", { method: "POST", body: text });
  return { status: answer.status, ...Failure.parse(await answer.json()) };
}

const Started = z.object({ id: z.string(), status: z.string(), result_url: z.url() });

const BAD = [
  { body: "{", about: /not JSON/ },
  { body: "[]", about: /JSON object/ },
  { body: { background: false }, about: /background/ },
  { body: { store: false }, about: /store/ },
  { body: { stream: "yes" }, about: /stream must be true or false/ },
  { body: { hold: true, control: true }, about: /hold runs in the foreground/ },
  { body: { hold: true, stream: true }, about: /hold reads the run's events in any case/ },
  { body: { replay: true }, about: /replay was removed: use stream: true/ },
  { body: { replay: false, hold: true }, about: /replay was removed: use stream: true/ },
  { body: { hold: "yes" }, about: /hold must be true or false/ },
  { body: { include: "all" }, about: /include must be a list/ },
  { body: { metadata: { a: 1 } }, about: /metadata/ },
  {
    body: { metadata: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, "v"])) },
    about: /15 pairs/,
  },
];

test.each(BAD)(
  "POST /trigger rejects $body with a message about it, and starts nothing",
  async ({ body, about }) => {
    const { status, error } = await triggerRefused(body);
    expect(status).toBe(400);
    expect(error.message).toMatch(about);
    expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  },
);

test("requests to OpenAI name the program and its version", async () => {
  const id = await world.trigger({ input: "hello" });
  await world.waitUntilSettled(id);
  const requests = await world.emulator.listRequests();
  expect(requests.length).toBeGreaterThan(1);
  for (const { headers } of requests) {
    expect(headers["user-agent"]).toBe(`response-recorder/${version}`);
  }
});

test("POST /trigger passes on OpenAI's refusal with its message and request id", async () => {
  const { status, error } = await triggerRefused({ input: "hello", no_such_parameter: 1 });
  expect(status).toBe(400);
  expect(error.message).toContain("no_such_parameter");
  expect(error.request_id).toMatch(/^req_/);
});

const FAULTS = [
  {
    name: "401",
    rule: { kind: "status", status: 401 },
    status: 502,
    code: /^openai_unauthorized$/,
  },
  {
    name: "403",
    rule: { kind: "status", status: 403 },
    status: 502,
    code: /^openai_unauthorized$/,
  },
  { name: "404", rule: { kind: "status", status: 404 }, status: 404, code: /./ },
  { name: "422", rule: { kind: "status", status: 422 }, status: 422, code: /./ },
  { name: "429", rule: { kind: "status", status: 429 }, status: 429, code: /./ },
  { name: "500", rule: { kind: "status", status: 500 }, status: 502, code: /^may_have_started$/ },
  { name: "a cut connection", rule: { kind: "cut" }, status: 502, code: /^may_have_started$/ },
  { name: "half a body", rule: { kind: "truncate" }, status: 502, code: /^may_have_started$/ },
  { name: "HTML", rule: { kind: "html" }, status: 502, code: /^may_have_started$/ },
];

test.each(FAULTS)(
  "POST /trigger answers $status when the create gets $name, and sends it once",
  async ({ rule, status, code }) => {
    await world.emulator.addFault({ method: "POST", path: "^/v1/responses$", times: 1, ...rule });
    const result = await triggerRefused({ input: "hello" });
    expect(result.status).toBe(status);
    expect(result.error.code).toMatch(code);
    // A create whose answer was lost may have started a run, whose webhook causes a refetch.
    const requests = await world.emulator.listRequests();
    expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  },
);

test.each([{ hold: true }, { stream: true }])(
  "POST /trigger with %j says with which status OpenAI answered, when that was no error object",
  async (flags) => {
    const where = { method: "POST", path: "^/v1/responses$", times: 1 };
    await world.emulator.addFault({ ...where, kind: "html", status: 503 });
    const { error } = await triggerRefused({ input: "hello", ...flags });
    expect(error.code).toBe("may_have_started");
    expect(error.message).toMatch(/: .*503/);
    expect(error.message).not.toContain("{}");
  },
);

test("POST /trigger answers 202 with id, status, result_url and Location", async () => {
  const answer = await world.request("/trigger", { method: "POST" });
  expect(answer.status).toBe(202);
  const started = Started.parse(await answer.json());
  expect(answer.headers.get("location")).toBe(`/results/${started.id}`);
  expect(started.result_url).toBe(`${world.url}/results/${started.id}`);
});

test("POST /trigger passes on create parameters, and fills in only model and include", async () => {
  const body = {
    input: [{ role: "user", content: "hello" }],
    tools: CODE_INTERPRETER,
    include: ["file_search_call.results"],
    metadata: { mine: "yes" },
    max_output_tokens: 1000,
  };
  const sent = await triggerAndReadCreate(body);
  expect(sent).toMatchObject({
    ...body,
    include: ["file_search_call.results", "code_interpreter_call.outputs"],
    metadata: { mine: "yes" },
    model: "gpt-5.2-2025-12-11",
  });
  expect(sent).not.toHaveProperty("reasoning");
});

test("POST /trigger leaves include alone without a code interpreter", async () => {
  const sent = await triggerAndReadCreate({ input: "hello" });
  expect(sent).not.toHaveProperty("include");
  expect(sent).not.toHaveProperty("tools");
});

/** Triggers; returns the body that reached OpenAI. */
async function triggerAndReadCreate(body: unknown): Promise<unknown> {
  await world.trigger(body);
  const requests = await world.emulator.listRequests();
  return requests.find(({ method }) => method === "POST")?.body;
}

test("POST /trigger and POST /login answer 400 to a form that can't be parsed", async () => {
  for (const path of ["/trigger", "/login"]) {
    const answer = await world.request(path, {
      method: "POST",
      body: "[]",
      headers: { "content-type": "multipart/form-data; boundary=x", origin: world.url },
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: "bad_request" } },
    ]);
  }
});
