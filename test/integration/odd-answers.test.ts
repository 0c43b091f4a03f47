// Answers of OpenAI's and of gateways that no document describes: a record of them can be read, listed, exported and deleted.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import {
  beginEvents,
  PRINTED,
  sendEvents,
  sendJson,
  startStandIn,
  toEvents,
  toResponse,
  type RunShape,
  type StandIn,
} from "../support/openai-stand-in.ts";
import { startProcessWorld } from "../support/process-world.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

type Answers = (response: ServerResponse, run: RunShape, number: number) => void;

const RESPONSE_PATH = /^\/v1\/responses\/([^/]+)$/;

let standIn: StandIn;
let world: World;
let runs = 0;
/** The id of the next response. */
let nextId: string | null = null;
/** What a create, and the first, second … retrieval of a response are answered with. */
let answerCreate: Answers;
let answerRetrieve: Answers;
const retrievals = new Map<string, number>();

beforeAll(async () => {
  standIn = await startStandIn(({ method, path }, response) => {
    if (method === "POST" && path === "/v1/responses") {
      runs += 1;
      const id = nextId ?? `resp_${runs}`;
      return answerCreate(response, { id, background: true }, runs);
    }
    const id = decodeURIComponent(RESPONSE_PATH.exec(path)?.[1] ?? "");
    if (id === "") return sendJson(response, { error: { message: "not found" } }, 404);
    const number = (retrievals.get(id) ?? 0) + 1;
    retrievals.set(id, number);
    return answerRetrieve(response, { id, background: true }, number);
  });
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "1", REFETCH_DELAYS: "1" };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  nextId = null;
  standIn.requests.length = 0;
  answerCreate = (response, run) => sendJson(response, toResponse(run, "queued"));
  answerRetrieve = (response, run) => sendJson(response, toResponse(run));
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const Page = z.object({ results: z.array(z.looseObject({ id: z.string() })) });

/** That a record can be read in every way, and deleted. */
async function expectUsable(id: string): Promise<void> {
  const path = `/results/${encodeURIComponent(id)}`;
  const page = await world.request(path, { headers: { accept: "text/html" } });
  expect(page.status).toBe(200);
  const list = Page.parse(await (await world.request("/results?limit=100")).json());
  expect(list.results.map((row) => row.id)).toContain(id);
  const lines = (await (await world.request("/results.ndjson")).text()).trim().split("\n");
  const exported = lines.map((line): unknown => JSON.parse(line));
  expect(exported).toContainEqual(expect.objectContaining({ id }));
  expect(exported.at(-1)).toEqual({ cursor: null });
  expect((await world.request(path, { method: "DELETE" })).status).toBe(204);
  expect((await world.request(path)).status).toBe(404);
}

const GATEWAY_ERROR = {
  error: { code: 502, message: "Bad gateway.", param: null, type: "cf_bad_gateway" },
};

test("a refetch that is answered with an error whose code is a number is an observation like any other", async () => {
  answerRetrieve = (response, run, number) =>
    number === 1 ? sendJson(response, GATEWAY_ERROR, 502) : sendJson(response, toResponse(run));
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  expect(record.observations).toMatchObject([{ http_status: 502 }, { http_status: 200 }]);
  await expectUsable(record.id);
});

test("a trigger that is answered with such an error says so, as JSON and on the form", async () => {
  answerCreate = (response) => sendJson(response, GATEWAY_ERROR, 502);
  const answer = await world.request("/trigger", { method: "POST", body: '{"input":"hello"}' });
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({ error: { code: "may_have_started" } });
  const form = await world.request("/trigger", {
    method: "POST",
    body: new URLSearchParams({ input: "hello" }),
    headers: { origin: world.url, accept: "text/html" },
  });
  expect(form.status).toBe(502);
  expect(await form.text()).toContain("Bad gateway.");
});

test.each([
  ["milliseconds", 1_700_000_000_000],
  ["negative", -5],
  ["1e300", 1e300],
  ["an object", {}],
])("a response whose times are %s is recorded without them", async (_, time) => {
  const times = { created_at: time, completed_at: time };
  answerCreate = (response, run) => sendJson(response, { ...toResponse(run, "queued"), ...times });
  answerRetrieve = (response, run) => sendJson(response, { ...toResponse(run), ...times });
  const answer = await world.request("/trigger", { method: "POST", body: '{"input":"hello"}' });
  expect(answer.status).toBe(202);
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({ status: "completed", completed_at: null });
  await expectUsable(id);
});

test("a status and a model of 1,200 characters are kept short, and can be listed", async () => {
  const long = { status: "x".repeat(1_200), model: "m".repeat(1_200) };
  answerCreate = (response, run) => sendJson(response, { ...toResponse(run, "queued"), ...long });
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record).toMatchObject({ status: "completed" });
  await expectUsable(record.id);
});

test("a failed response whose error has no code keeps its message", async () => {
  const error = { code: null, message: "It broke in a way without a name." };
  answerRetrieve = (response, run) =>
    sendJson(response, { ...toResponse(run, "failed"), error, output: [] });
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record).toMatchObject({ status: "failed", error: { message: error.message } });
});

test("the id of a gateway, of 200 characters with =, is recorded", async () => {
  nextId = `resp_${"aZ09_-.=".repeat(25)}`.slice(0, 204);
  const id = await world.trigger({ input: "hello" });
  expect(id).toBe(nextId);
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured" });
  await expectUsable(id);
});

test.each([
  "Incorrect API key provided: sk-proj-abc***XYZ9. You can find your API key at …",
  "Bearer sk-1234567890abcdef is not valid",
])("a record does not keep the part of a key that OpenAI quotes: %s", async (message) => {
  answerRetrieve = (response) =>
    sendJson(response, { error: { code: "invalid_api_key", message } }, 401);
  const id = await world.trigger({ input: "hello" });
  const record = await waitFor(
    async () => (await world.request(`/results/${id}`)).text(),
    (text) => text.includes("invalid_api_key"),
  );
  expect(record).not.toMatch(/sk-(?:proj|1234)/);
});

test("OpenAI's 403 is passed on with its own words, by /trigger and by /v1", async () => {
  const message = "You have insufficient permissions: Missing scopes: api.responses.write";
  answerCreate = (response) => sendJson(response, { error: { code: null, message } }, 403);
  const triggered = await world.request("/trigger", { method: "POST", body: '{"input":"hello"}' });
  expect(triggered.status).toBe(502);
  expect(await triggered.text()).toContain("Missing scopes: api.responses.write");
  for (const background of [true, false]) {
    const body = JSON.stringify({ model: "m", input: "hello", background });
    const answer = await world.request("/v1/responses", { method: "POST", body });
    expect(answer.status).toBe(502);
    const text = await answer.text();
    expect(text).toContain("Missing scopes: api.responses.write");
    expect(text).toContain("openai_unauthorized");
  }
});

const QUOTA = {
  type: "insufficient_quota",
  code: "insufficient_quota",
  message: "You exceeded your current quota.",
  param: null,
};

test.each([{ hold: true }, { stream: true }])(
  "a run with %j whose stream begins with an error event is refused, with OpenAI's words",
  async (flags) => {
    answerCreate = (response) => {
      beginEvents(response);
      sendEvents(response, [{ type: "error", sequence_number: 0, error: QUOTA }]);
      response.end();
    };
    const body = JSON.stringify({ input: "hello", ...flags });
    const answer = await world.request("/trigger", { method: "POST", body });
    expect(answer.status).toBe(429);
    expect(await answer.json()).toMatchObject({
      error: { code: "insufficient_quota", message: QUOTA.message },
    });
  },
);

test("an error event in the middle of a held stream keeps its words", async () => {
  answerCreate = (response, run) => {
    beginEvents(response);
    const created = { type: "response.created", response: toResponse(run, "in_progress") };
    sendEvents(response, [created, { type: "error", sequence_number: 2, error: QUOTA }]);
    response.end();
  };
  answerRetrieve = (response, run) =>
    sendJson(response, { ...toResponse(run, "failed"), output: [] });
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello", hold: true }));
  const { code, message } = QUOTA;
  expect(record).toMatchObject({ status: "failed", error: { code, message } });
});

test("an event whose response is null keeps its item", async () => {
  answerCreate = (response, run) => {
    beginEvents(response);
    const events = toEvents(run).map((event) => ({ response: null, ...event }));
    sendEvents(response, events.slice(0, -1));
    response.end();
  };
  answerRetrieve = (response, run) =>
    sendJson(response, { ...toResponse(run, "failed"), output: [] });
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello", hold: true }));
  expect(record).toMatchObject({ calls: [{ id: "ci_1", outputs: PRINTED, source: "held" }] });
});

test("a container with the id .. is asked for nothing", async () => {
  answerRetrieve = (response, run) => {
    const json = JSON.stringify(toResponse(run)).replaceAll("cntr_1", "..");
    response.writeHead(200, { "content-type": "application/json" });
    response.end(json);
  };
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record.files).toEqual([]);
  const others = standIn.requests.filter(({ path }) => !path.startsWith("/v1/responses"));
  expect(others).toEqual([]);
});

// The test harness follows redirects itself.
test("a redirect of OpenAI's is not followed", async () => {
  const other = await startStandIn((_, response) => sendJson(response, {}));
  const processWorld = await startProcessWorld({ backgroundOutputs: "present" });
  try {
    await processWorld.emulator.addFault({
      method: "GET",
      path: "^/v1/responses/[^/]+$",
      times: 1,
      kind: "status",
      status: 307,
      headers: { location: `${other.url}/elsewhere` },
    });
    const id = await processWorld.trigger({});
    const record = await processWorld.request(`/results/${id}?wait=60&until=settled`);
    expect(await record.json()).toMatchObject({
      verdict: "captured",
      observations: [{ http_status: 307 }, { http_status: 200 }],
    });
    expect(other.requests).toEqual([]);
  } finally {
    await processWorld.close();
    await other.close();
  }
});

test("of two members with the same name the last one counts, in the verdict and in the outputs", async () => {
  answerRetrieve = (response, run) => {
    const json = JSON.stringify(toResponse(run)).replace('"object":', '"output":[],"object":');
    response.writeHead(200, { "content-type": "application/json" });
    response.end(json);
  };
  const id = await world.trigger({ input: "hello" });
  expect(await world.waitUntilSettled(id)).toMatchObject({ calls: [{ outputs: PRINTED }] });
  expect(await (await world.request(`/results/${id}/outputs`)).text()).toBe("naïve – 数据\n");
});

test("a known path answers another method with 405 and Allow", async () => {
  const answer = await world.request("/results/resp_1/refetch", { method: "GET" });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("POST");
  expect(await answer.json()).toMatchObject({ error: { code: "method_not_allowed" } });
});
