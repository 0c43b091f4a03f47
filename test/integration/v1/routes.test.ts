import { request as plainRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { API_KEY, startWorld, TOKEN, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const OUTPUTS = "include[]=code_interpreter_call.outputs";
const EXAMPLE = {
  model: "gpt-5.2",
  input: "Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  include: ["code_interpreter_call.outputs"],
};
const Shown = z.looseObject({
  id: z.string(),
  status: z.string(),
  output: z.array(z.looseObject({ outputs: z.unknown().optional() })),
});
const Refused = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

type Init = { method?: string; body?: string; headers?: Record<string, string> };

function v1(path: string, { headers, ...init }: Init = {}): Promise<Response> {
  const authorization = `Bearer ${TOKEN}`;
  const type = { "content-type": "application/json" };
  return fetch(`${world.url}/v1${path}`, {
    redirect: "manual",
    ...init,
    headers: { authorization, ...(init.body === undefined ? {} : type), ...headers },
  });
}

async function create(body: unknown): Promise<z.infer<typeof Shown>> {
  const answer = await v1("/responses", { method: "POST", body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
  return Shown.parse(await answer.json());
}

async function ended(id: string): Promise<z.infer<typeof Shown>> {
  for (;;) {
    const response = Shown.parse(await (await v1(`/responses/${id}?${OUTPUTS}`)).json());
    if (response.status !== "queued" && response.status !== "in_progress") return response;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function printed(response: z.infer<typeof Shown>): unknown {
  return response.output.find((item) => "outputs" in item)?.outputs;
}

/** Asks for a path that no client would normalise. */
function raw(path: string): Promise<number> {
  const { hostname, port } = new URL(world.url);
  const headers = { authorization: `Bearer ${TOKEN}` };
  return new Promise((resolve, reject) => {
    const sent = plainRequest({ hostname, port, path, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject).end();
  });
}

test("the report's script gets its outputs in the background as in the foreground", async () => {
  const foreground = await create({ ...EXAMPLE, background: false });
  const background = await ended((await create({ ...EXAMPLE, background: true })).id);
  const log = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];
  expect(printed(foreground)).toEqual(log);
  expect(printed(background)).toEqual(log);
});

test("a held run is recorded, and says that it came through /v1", async () => {
  const { id } = await create({ ...EXAMPLE, background: true });
  expect(await world.settled(id)).toMatchObject({
    started_by: "v1",
    verdict: "captured",
    held: { broke_at: null },
    request: { input: EXAMPLE.input },
  });
});

test("a held run's response is there when OpenAI has deleted it", async () => {
  const { id } = await create({ ...EXAMPLE, background: true });
  const before = await ended(id);
  const headers = { authorization: `Bearer ${API_KEY}` };
  const there = `${world.emulator.url}/v1/responses/${id}`;
  await fetch(there, { method: "DELETE", headers });
  expect((await fetch(there, { headers })).status).toBe(404);
  expect(await ended(id)).toEqual(before);
});

test("a background run that is streamed is refused, in OpenAI's shape", async () => {
  const body = JSON.stringify({ ...EXAMPLE, background: true, stream: true });
  const answer = await v1("/responses", { method: "POST", body });
  expect(answer.status).toBe(400);
  expect(Refused.parse(await answer.json()).error.param).toBe("stream");
});

test("credentials in a held run's request are refused, and nothing is started", async () => {
  const before = await world.told("/requests");
  const tools = [{ type: "mcp", server_label: "x", authorization: "secret-of-a-tool" }];
  const body = JSON.stringify({ ...EXAMPLE, tools, background: true });
  const answer = await v1("/responses", { method: "POST", body });
  expect(answer.status).toBe(400);
  expect(Refused.parse(await answer.json()).error.message).toMatch(/credentials/);
  expect(await world.told("/requests")).toEqual(before);
});

test.each([
  '{"background": true, "input": "hi"',
  '{"background": true}}',
  '[{"background":true}]',
  "",
])("what is no create is OpenAI's to refuse: %s", async (body) => {
  const answer = await v1("/responses", { method: "POST", body });
  expect(answer.status).toBe(400);
  expect(Refused.parse(await answer.json()).error.type).toBe("invalid_request_error");
});

test("a session's cookie opens nothing here", async () => {
  const form = new URLSearchParams({ token: TOKEN });
  const login = await fetch(`${world.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: form,
    headers: { origin: world.url },
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(cookie).toMatch(/session=/);
  const answer = await fetch(`${world.url}/v1/models`, { headers: { cookie } });
  expect(answer.status).toBe(401);
  expect(Refused.parse(await answer.json()).error.code).toBe("invalid_api_key");
});

const CLOSED = [
  "/v1",
  "/v1/",
  "/v1/webhook_endpoints",
  "/v1/organization/projects",
  "/v1/fine_tuning/jobs",
  "/v1/Responses",
  "/v1//webhook_endpoints",
  "/v1/responses/../webhook_endpoints",
  "/v1/responses/%2e%2e/webhook_endpoints",
  "/v1/responses/..%2fwebhook_endpoints",
  "/v1/responses%2f..%2fwebhook_endpoints",
  "/v1/responses/..%5cwebhook_endpoints",
  "/v1/responses/..\\webhook_endpoints",
  "/v1/responses/%252e%252e/webhook_endpoints",
  "/v1/responses/;/webhook_endpoints",
  "/v1/models/a%00b",
  "/v1/models/",
];

test.each(CLOSED)("%s is nothing that a caller's token is good for", async (path) => {
  const before = await world.told("/requests");
  expect(await raw(path)).toBe(404);
  expect(await world.told("/requests")).toEqual(before);
});

test("OpenAI never sees the caller's token, cookie, project or address", async () => {
  await v1("/models", {
    headers: {
      cookie: "session=secret-cookie",
      "openai-project": "proj_of_the_caller",
      "openai-organization": "org_of_the_caller",
      "x-forwarded-for": "203.0.113.7",
      forwarded: "for=203.0.113.7",
      "true-client-ip": "203.0.113.7",
      via: "1.1 caller.example",
      "openai-beta": "kept",
    },
  });
  const requests = z.array(z.unknown()).parse(await world.told("/requests"));
  const last = JSON.stringify(requests.at(-1));
  expect(last).toContain('"openai-beta":"kept"');
  for (const secret of [TOKEN, "secret-cookie", "_of_the_caller", "203.0.113.7", "caller.example"])
    expect(last).not.toContain(secret);
});

test("a caller gets neither OpenAI's cookies nor anything that could run on this site", async () => {
  await world.fault({
    method: "GET",
    path: "^/v1/models$",
    times: 1,
    kind: "status",
    status: 200,
    headers: { "set-cookie": "session=theirs", "content-type": "text/html" },
    body: "<script>alert(1)</script>",
  });
  const foreign = await v1("/models");
  expect(await foreign.text()).toContain("<script>");
  expect(foreign.headers.get("set-cookie")).toBeNull();
  for (const answer of [
    foreign,
    await v1("/models"),
    await v1("/nothing"),
    await fetch(`${world.url}/v1/models`),
  ]) {
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toBe("sandbox");
  }
});

test("a refusal of the recorder's own key is no refusal of the token, and doesn't show the key", async () => {
  await world.emulate({ apiKey: "sk-another-key" });
  try {
    const asked = [
      await v1("/models"),
      await v1("/responses", { method: "POST", body: JSON.stringify(EXAMPLE) }),
      await v1("/responses", {
        method: "POST",
        body: JSON.stringify({ ...EXAMPLE, background: true }),
      }),
    ];
    for (const answer of asked) {
      expect(answer.status).toBe(502);
      const text = await answer.text();
      expect(text).toContain("openai_unauthorized");
      expect(text).not.toContain(API_KEY.slice(0, 4));
    }
  } finally {
    await world.emulate({ apiKey: API_KEY });
  }
});

test("what is passed on is stored nowhere", async () => {
  const before = world.kv().length;
  const { id } = await create(EXAMPLE);
  await v1(`/responses/${id}?${OUTPUTS}`);
  const touched = world.kv().slice(before);
  expect(touched.filter(({ operation }) => operation === "put" || operation === "get")).toEqual([]);
  expect((await world.ask(`/results/${id}`)).status).toBe(404);
});

test("while the connection is held a run is in progress, whatever a look has seen", async () => {
  await world.emulate({ onDisconnect: "complete" });
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.fault({ ...where, kind: "hang", after_events: 6 });
  const { id } = await create({ ...EXAMPLE, background: true });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await world.ask(`/results/${id}/refetch`, { method: "POST" });
  const Record = z.object({ status: z.string() });
  for (;;) {
    const record = Record.parse(await (await world.ask(`/results/${id}`)).json());
    if (record.status === "completed") break;
  }
  const shown = Shown.parse(await (await v1(`/responses/${id}?${OUTPUTS}`)).json());
  expect(shown).toMatchObject({ status: "in_progress", output: [] });
  expect((await v1(`/responses/${id}/cancel`, { method: "POST" })).status).toBe(200);
  expect(printed(await ended(id))).toEqual([{ type: "logs", logs: "BG_STDOUT_OK\n" }]);
});

test("a long text comes back whole in the answer, and while the run is in flight", async () => {
  const instructions = "naïve – 数据 ".repeat(30_000);
  const input = "emulator: run 3 seconds";
  const made = await create({ ...EXAMPLE, input, instructions, background: true });
  const Long = z.looseObject({ instructions: z.string() });
  expect(Long.parse(made).instructions).toBe(instructions);
  const shown = Long.parse(await (await v1(`/responses/${made.id}`)).json());
  expect(shown.instructions).toBe(instructions);
});

const FAILURES = [
  { fault: { status: 500 }, status: 502, code: "may_have_started", retries: "false" },
  { fault: { kind: "html", status: 502 }, status: 502, code: "may_have_started", retries: "false" },
  { fault: { kind: "cut" }, status: 502, code: "may_have_started", retries: "false" },
  { fault: { status: 429, headers: { "retry-after": "7" } }, status: 429, after: "7" },
  { fault: { status: 400, body: "no JSON" }, status: 400 },
];

test.each(FAILURES)("a create that OpenAI answers with $fault is $status", async (want) => {
  const where = { method: "POST", path: "^/v1/responses$", times: 1, kind: "status" };
  await world.fault({ ...where, ...want.fault });
  const body = JSON.stringify({ ...EXAMPLE, background: true });
  const answer = await v1("/responses", { method: "POST", body });
  expect(answer.status).toBe(want.status);
  const { error } = Refused.parse(await answer.json());
  expect(error.code).toBe(want.code ?? error.code);
  expect(answer.headers.get("x-should-retry")).toBe(want.retries ?? null);
  expect(answer.headers.get("retry-after")).toBe(want.after ?? null);
});

test("an include is read as OpenAI reads it, and one that it doesn't know is refused", async () => {
  const { id } = await create({ ...EXAMPLE, background: true });
  await ended(id);
  const ask = async (query: string) => v1(`/responses/${id}?${query}`);
  const indexed = Shown.parse(await (await ask("include[0]=code_interpreter_call.outputs")).json());
  expect(printed(indexed)).toEqual([{ type: "logs", logs: "BG_STDOUT_OK\n" }]);
  const wrong = await ask("include[]=code_interpreter_call.output");
  expect(wrong.status).toBe(400);
  expect(Refused.parse(await wrong.json()).error).toMatchObject({
    param: "include[0]",
    code: "invalid_value",
  });
});
