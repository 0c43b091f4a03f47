// What a background create of /v1 sends OpenAI and answers, when OpenAI refuses or fails, and when it is repeated.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { containing } from "../../support/matchers.ts";
import { startWorld, type World } from "../../support/world.ts";
import { ApiError, createV1Client, EXAMPLE, type V1Client } from "./v1-client.ts";

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

const BODY = { ...EXAMPLE, background: true };
const REQUEST_ID = "x-request-id";
const AnyError = z.object({ error: z.looseObject({ message: z.string() }) });
const Started = z.object({ id: z.string(), status: z.string() });

const FAILURES = [
  { fault: { kind: "status", status: 500 }, code: null },
  {
    fault: {
      kind: "status",
      status: 503,
      headers: { "retry-after": "3", "retry-after-ms": "2900" },
    },
  },
  { fault: { kind: "status", status: 408 } },
  { fault: { kind: "gateway", status: 502 }, code: 502 },
  { fault: { kind: "html", status: 502 }, code: null },
  {
    fault: {
      kind: "status",
      status: 429,
      headers: { "retry-after": "7", "x-ratelimit-limit-of-a-test": "5" },
    },
  },
  { fault: { kind: "status", status: 400, body: "not JSON" }, code: null },
  { fault: { kind: "status", status: 409, headers: { "x-should-retry": "true" } } },
];

async function listCreates() {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses");
}

/** Makes OpenAI answer the next create with a fault. */
async function failNext(fault: object): Promise<void> {
  await world.emulator.addFault({ method: "POST", path: "^/v1/responses$", times: 1, ...fault });
}

describe.each(["on", "off"])("with X-Recorder-Hold: %s", (hold) => {
  function post(headers: Record<string, string> = {}, body: unknown = BODY): Promise<Response> {
    const all = { "x-recorder-hold": hold, ...headers };
    return v1.request("/responses", { method: "POST", body: JSON.stringify(body), headers: all });
  }

  test.each(FAILURES)(
    "POST /v1/responses passes on an answered failure: $fault",
    async ({ fault, code }) => {
      await failNext(fault);
      const answer = await post();
      const [create] = await listCreates();
      expect(answer.status).toBe(fault.status);
      expect(answer.headers.get(REQUEST_ID)).toBe(create?.request_id);
      expect(answer.headers.get("x-should-retry")).toBe(fault.headers?.["x-should-retry"] ?? null);
      for (const [name, value] of Object.entries(fault.headers ?? {}))
        expect([name, answer.headers.get(name)]).toEqual([name, value]);
      const { error } = AnyError.parse(await answer.json());
      expect(error.message).not.toContain("/results");
      expect(error["code"]).toBe(code ?? error["code"]);
      expect(await listCreates()).toHaveLength(1);
    },
  );

  test.each([
    [401, "OpenAI refused the recorder's own key"],
    [403, "You have insufficient permissions"],
  ])(
    "POST /v1/responses answers OpenAI's %s with 502, which no SDK retries",
    async (status, words) => {
      const error = {
        message: "You have insufficient permissions.",
        type: "invalid_request_error",
      };
      await failNext({ kind: "status", status, body: { error } });
      const answer = await post();
      expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, "false"]);
      const { error: own } = ApiError.parse(await answer.json());
      expect(own).toMatchObject({ code: "openai_unauthorized", message: containing(words) });
    },
  );

  test("POST /v1/responses answers 502 may_have_started when OpenAI's answer is none, and no SDK retries it", async () => {
    await failNext({ kind: "html", status: 200 });
    const answer = await post();
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, "false"]);
    const { error } = ApiError.parse(await answer.json());
    expect(error.code).toBe("may_have_started");
    expect(error.message.includes("/results")).toBe(hold === "off");
  });

  test("POST /v1/responses sends the SDK's headers along, and no others", async () => {
    const sent = {
      "openai-beta": "responses=v9",
      "user-agent": "OpenAI/JS 9.9.9",
      "x-client-request-id": "client-1",
      "x-stainless-retry-count": "2",
      "x-stainless-lang": "js",
    };
    const others = {
      cookie: "a=b",
      "openai-project": "proj_1",
      "x-forwarded-for": "203.0.113.7",
    };
    expect((await post({ ...sent, ...others })).status).toBe(200);
    const [create] = await listCreates();
    expect(create?.headers).toMatchObject(sent);
    for (const value of Object.values(others)) {
      expect(JSON.stringify(create?.headers)).not.toContain(value);
    }
  });

  test("POST /v1/responses returns OpenAI's request id, time and rate limits", async () => {
    const { headers } = await post();
    const [create] = await listCreates();
    expect(headers.get(REQUEST_ID)).toBe(create?.request_id);
    expect(headers.get("openai-processing-ms")).toMatch(/^\d+$/);
    expect([...headers.keys()].filter((name) => name.startsWith("x-ratelimit-"))).not.toEqual([]);
  });

  test("POST /v1/responses answers the same run to the same Idempotency-Key", async () => {
    const key = { "idempotency-key": `same-${hold}` };
    const answers = await Promise.all([post(key), post(key), post(key)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const runs = await Promise.all(answers.map(async (one) => Started.parse(await one.json())));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    const id = runs[0]?.id ?? "";
    await v1.waitForEnd(id);
    const later = await post(key);
    expect(await later.json()).toMatchObject({ id, background: true, metadata: {} });
    expect(later.headers.get("x-recorder")).toBe(hold === "on" ? "held" : "background; repeated");
    expect(await listCreates()).toHaveLength(1);
    const other = await post(key, { ...BODY, input: "another" });
    expect(other.status).toBe(422);
    expect(ApiError.parse(await other.json()).error.code).toBe("key_reused");
  });

  test("POST /v1/responses starts a run with a key whose first request OpenAI refused or failed", async () => {
    for (const status of [400, 429, 500, 503]) {
      const key = { "idempotency-key": `released-${hold}-${status}` };
      await failNext({ kind: "status", status });
      expect((await post(key)).status).toBe(status);
      expect((await post(key)).status).toBe(200);
    }
  });

  test("POST /v1/responses repeats may_have_started to the same key, and starts nothing", async () => {
    const key = { "idempotency-key": `unknown-${hold}` };
    await failNext({ kind: "html", status: 200 });
    for (let times = 0; times < 2; times += 1) {
      const answer = await post(key);
      expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, "false"]);
    }
    expect(await listCreates()).toHaveLength(1);
  });
});

test("every answer of /v1 has a request id", async () => {
  const { id } = await v1.create(BODY);
  await v1.waitForEnd(id);
  const answers = [
    await v1.request(`/responses/${id}`),
    await v1.request("/organization"),
    await v1.request("/responses/resp_unknown"),
    await fetch(`${world.url}/v1/models`),
  ];
  for (const { headers } of answers) expect(headers.get(REQUEST_ID)).toMatch(/^req_\w{10,}$/);
});
