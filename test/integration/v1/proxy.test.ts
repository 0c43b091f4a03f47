// What /v1 forwards to OpenAI and returns to the caller, and what it does not.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { RawClient } from "../../support/raw-client.ts";
import { API_KEY, startWorld, TOKEN, type World } from "../../support/world.ts";
import { ApiError, createV1Client, EXAMPLE, INCLUDE_OUTPUTS, type V1Client } from "./v1-client.ts";

let world: World;
let v1: V1Client;
let rawClient: RawClient;
beforeAll(async () => {
  world = await startWorld();
  v1 = createV1Client(world.url);
  rawClient = new RawClient(world.url);
});
afterAll(async () => {
  rawClient.close();
  await world.close();
});

test("GET /v1/models answers 401 to a session cookie", async () => {
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
  expect(ApiError.parse(await answer.json()).error.code).toBe("invalid_api_key");
});

const NOT_FORWARDED = [
  "/v1",
  "/v1/",
  "/v1/webhook_endpoints",
  "/v1/organization/projects",
  "/v1/fine_tuning/jobs",
  "/v1/projects",
  "/v1/evals",
  "/v1/admin/keys",
  "/v1/certificates",
  "/v1/realtime/client_secrets",
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

test.each(NOT_FORWARDED)("GET %s answers 404, and sends OpenAI nothing", async (path) => {
  const before = await world.emulator.listRequestsButFiles();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const { status } = await rawClient.send({ method: "GET", path, headers, body: null });
  expect(status).toBe(404);
  expect(await world.emulator.listRequestsButFiles()).toEqual(before);
});

test("a 404 of the recorder's own says that it is, and what is passed on", async () => {
  const answer = await v1.request("/fine_tuning/jobs");
  const { error } = ApiError.parse(await answer.json());
  expect(error.code).toBe("unknown_route");
  expect(error.message).toContain("The recorder does not pass on GET /v1/fine_tuning/jobs");
  expect(error.message).toContain("chat, completions, embeddings");
});

const FORWARDED = [
  ["POST", "/chat/completions"],
  ["POST", "/completions"],
  ["POST", "/embeddings"],
  ["POST", "/images/generations"],
  ["POST", "/audio/speech"],
  ["POST", "/moderations"],
  ["GET", "/vector_stores/vs_1/files?limit=2&order=asc"],
  ["POST", "/uploads/upload_1/parts"],
  ["GET", "/batches/batch_1"],
  ["DELETE", "/skills/skill_1"],
  ["GET", "/videos/video_1/content"],
];

test.each(FORWARDED)("%s /v1%s passes through, with its query and body", async (method, path) => {
  await world.emulator.configure({ echo: true });
  const body = method === "POST" ? { input: "naïve – 数据" } : "";
  const init = method === "POST" ? { method, body: JSON.stringify(body) } : { method };
  const answer = await v1.request(path, init);
  const { pathname, searchParams } = new URL(path, "http://openai.example");
  expect(await answer.json()).toMatchObject({
    method,
    path: `/v1${pathname}`,
    query: Object.fromEntries([...searchParams].map(([name, value]) => [name, [value]])),
    body,
  });
});

test("a WebSocket is refused with 426 websocket_not_supported", async () => {
  for (const path of ["/v1/responses", "/v1/realtime?model=gpt-realtime"]) {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const { status, body } = await rawClient.send({ method: "GET", path, headers, body: null });
    expect(status).toBe(426);
    const { error } = ApiError.parse(JSON.parse(body ?? ""));
    expect(error.code).toBe("websocket_not_supported");
  }
});

test.each([
  ["POST", "/responses"],
  ["GET", "/responses/resp_1"],
  ["POST", "/chat/completions"],
  ["POST", "/files"],
])(
  "%s %s, with a base URL that lacks /v1, answers 404 with the right one",
  async (method, path) => {
    const init = method === "POST" ? { method, body: "{}" } : {};
    const answer = await fetch(`${world.url}${path}`, init);
    expect(answer.status).toBe(404);
    const { error } = z
      .object({ error: z.object({ code: z.string(), message: z.string() }) })
      .parse(await answer.json());
    expect(error.code).toBe("unknown_route");
    expect(error.message).toContain(`Set the base URL ${world.url}/v1`);
  },
);

test("GET /v1/models forwards neither the caller's token, cookie, project nor address", async () => {
  await v1.request("/models", {
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
  const requests = await world.emulator.listRequests();
  const last = JSON.stringify(requests.at(-1));
  expect(last).toContain('"openai-beta":"kept"');
  for (const secret of [TOKEN, "secret-cookie", "_of_the_caller", "203.0.113.7", "caller.example"])
    expect(last).not.toContain(secret);
});

test("GET /v1/models drops OpenAI's cookies, and every answer below /v1 is sandboxed", async () => {
  await world.emulator.addFault({
    method: "GET",
    path: "^/v1/models$",
    times: 1,
    kind: "status",
    status: 200,
    headers: {
      "set-cookie": "session=theirs",
      "clear-site-data": '"*"',
      "access-control-allow-origin": "*",
      "openai-organization": "org-1",
      "content-type": "text/html",
    },
    body: "<script>alert(1)</script>",
  });
  const html = await v1.request("/models");
  expect(await html.text()).toContain("<script>");
  for (const name of ["set-cookie", "clear-site-data", "openai-organization"]) {
    expect([name, html.headers.get(name)]).toEqual([name, null]);
  }
  expect(html.headers.get("access-control-allow-origin")).toBeNull();
  for (const answer of [
    html,
    await v1.request("/models"),
    await v1.request("/nothing"),
    await fetch(`${world.url}/v1/models`),
  ]) {
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toBe("sandbox");
  }
});

test("/v1 answers 502 openai_unauthorized when OpenAI rejects the recorder's key, without the key", async () => {
  await world.emulator.configure({ apiKey: "sk-another-key" });
  try {
    const answers = [
      await v1.request("/models"),
      await v1.postResponse(EXAMPLE),
      await v1.postResponse({ ...EXAMPLE, background: true }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, "false"]);
      const text = await answer.text();
      expect(text).toContain("openai_unauthorized");
      expect(text).not.toContain(API_KEY.slice(0, 4));
    }
  } finally {
    await world.emulator.configure({ apiKey: API_KEY });
  }
});

test("POST /v1/responses in the foreground stores nothing", async () => {
  const before = world.kvOperations().length;
  const { id } = await v1.create(EXAMPLE);
  await v1.request(`/responses/${id}?${INCLUDE_OUTPUTS}`);
  const operations = world.kvOperations().slice(before);
  expect(operations.filter(({ operation }) => operation === "put" || operation === "get")).toEqual(
    [],
  );
  expect((await world.request(`/results/${id}`)).status).toBe(404);
});
