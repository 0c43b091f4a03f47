import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { version } from "../../package.json" with { type: "json" };
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" }));
afterAll(() => world.close());

const Refused = z.object({
  error: z.object({ code: z.string(), message: z.string(), request_id: z.string().optional() }),
});

const Asked = z.array(z.object({ headers: z.looseObject({ "user-agent": z.string() }) }));
const Sent = z.array(z.looseObject({ method: z.string() }));

async function send(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await world.ask("/trigger", { method: "POST", body: text });
  return { status: answer.status, answer, ...Refused.parse(await answer.clone().json()) };
}

const BAD = [
  { body: "{", about: /not JSON/ },
  { body: "[]", about: /JSON object/ },
  { body: { background: false }, about: /background/ },
  { body: { store: false }, about: /store/ },
  { body: { stream: true }, about: /stream/ },
  { body: { hold: true, control: true }, about: /hold runs in the foreground/ },
  { body: { hold: true, replay: true }, about: /nothing to replay/ },
  {
    body: { hold: true, tools: [{ type: "mcp", authorization: "secret" }] },
    about: /hold can't run a request that carries credentials/,
  },
  { body: { hold: "yes" }, about: /hold must be true or false/ },
  { body: { include: "all" }, about: /include must be a list/ },
  { body: { metadata: { a: 1 } }, about: /metadata/ },
  {
    body: { metadata: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, "v"])) },
    about: /15 pairs/,
  },
];

test.each(BAD)(
  "$body is refused with a message about it, and nothing is started",
  async ({ body, about }) => {
    const { status, error } = await send(body);
    expect(status).toBe(400);
    expect(error.message).toMatch(about);
    expect(await world.told("/requests")).toEqual([]);
  },
);

test("OpenAI is told which program asks, and its version", async () => {
  const id = await world.trigger({ input: "hello" });
  await world.settled(id);
  const requests = Asked.parse(await world.told("/requests"));
  expect(requests.length).toBeGreaterThan(1);
  for (const { headers } of requests) {
    expect(headers["user-agent"]).toBe(`response-recorder/${version}`);
  }
});

test("what OpenAI refuses passes through with its message and request id", async () => {
  const { status, error } = await send({ input: "hello", no_such_parameter: 1 });
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
  "a create that meets $name is answered $status, and sent once",
  async ({ rule, status, code }) => {
    await world.fault({ method: "POST", path: "^/v1/responses$", times: 1, ...rule });
    const result = await send({ input: "hello" });
    expect(result.status).toBe(status);
    expect(result.error.code).toMatch(code);
    // A create whose answer was lost may have started a run, whose webhook leads to a look.
    const sent = Sent.parse(await world.told("/requests"));
    expect(sent.filter(({ method }) => method === "POST")).toHaveLength(1);
  },
);

test("the answer is 202 with the id, its status and where its result will be", async () => {
  const answer = await world.ask("/trigger", { method: "POST" });
  expect(answer.status).toBe(202);
  const started = z
    .object({ id: z.string(), status: z.string(), result_url: z.url() })
    .parse(await answer.json());
  expect(answer.headers.get("location")).toBe(`/results/${started.id}`);
  expect(started.result_url).toBe(`${world.url}/results/${started.id}`);
});

test("other create parameters pass through, and only model and include are filled in", async () => {
  const body = {
    input: [{ role: "user", content: "hello" }],
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
    include: ["file_search_call.results"],
    metadata: { mine: "yes" },
    max_output_tokens: 1000,
  };
  const sent = await created(body);
  expect(sent).toMatchObject({
    ...body,
    include: ["file_search_call.results", "code_interpreter_call.outputs"],
    metadata: { mine: "yes" },
    model: "gpt-5.2-2025-12-11",
  });
  expect(sent).not.toHaveProperty("reasoning");
});

test("without a code interpreter include is left alone", async () => {
  const sent = await created({ input: "hello" });
  expect(sent).not.toHaveProperty("include");
  expect(sent).not.toHaveProperty("tools");
});

const Creates = z.array(z.object({ method: z.string(), body: z.looseObject({}).nullable() }));

/** The body that reached OpenAI. */
async function created(body: unknown): Promise<unknown> {
  await world.trigger(body);
  const requests = Creates.parse(await world.told("/requests"));
  return requests.find(({ method }) => method === "POST")?.body;
}

test("a form that is none is refused", async () => {
  for (const path of ["/trigger", "/login"]) {
    const answer = await world.ask(path, {
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
