// What of OpenAI's answers must not reach a URL, a header of this origin, or the record.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  beginEvents,
  sendEvents,
  sendJson,
  startStandIn,
  toEvents,
  toResponse,
  type StandIn,
  type StandInRequest,
} from "../support/openai-stand-in.ts";
import { startWorld, type World } from "../support/world.ts";

let standIn: StandIn;
let world: World;
let runs = 0;
let nextId: string | null;
/** What a refetch brings besides the usual response. */
let members: object;
let answerOther: (request: StandInRequest, response: ServerResponse) => void;

beforeAll(async () => {
  standIn = await startStandIn((request, response) => {
    const { method, path, body } = request;
    if (method === "POST" && path === "/v1/responses") {
      runs += 1;
      const run = { id: nextId ?? `resp_${runs}`, background: true };
      if (!body.includes('"stream":true')) return sendJson(response, toResponse(run, "queued"));
      beginEvents(response);
      sendEvents(response, toEvents(run));
      return response.end();
    }
    const id = /^\/v1\/responses\/([^/]+)$/.exec(path)?.[1];
    if (id === undefined || method !== "GET") return answerOther(request, response);
    return sendJson(response, { ...toResponse({ id, background: true }), ...members });
  });
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "0", REFETCH_DELAYS: "0" };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  standIn.requests.length = 0;
  nextId = null;
  members = {};
  answerOther = (_, response) => sendJson(response, { data: [] });
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const listPaths = () => standIn.requests.map(({ path }) => path);

const ODD_IDS = ["..", ".", "../../v1/files", "a/b", "a?b", "a#b", "a%2fb", "", "\ud800", "é"];

test.each(ODD_IDS)(
  "a conversation, a container and a file with the id %j are asked for nothing",
  async (odd) => {
    const [call] = [{ id: "ci_1", type: "code_interpreter_call", code: "print(1)", outputs: [] }];
    const annotation = { type: "container_file_citation", container_id: odd, file_id: odd };
    const content = [{ type: "output_text", text: "x", annotations: [annotation] }];
    const output = [
      { ...call, container_id: odd },
      { type: "message", content },
    ];
    members = { conversation: { id: odd }, output };
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
    expect(record).toMatchObject({ verdict: "suspect", files: [] });
    expect(listPaths().every((path) => path.startsWith("/v1/responses"))).toBe(true);
  },
);

test("the id of a gateway with = can be asked for, cancelled and deleted by /v1, held or not", async () => {
  const id = "resp_abc==";
  nextId = id;
  expect(await (await world.request(`/v1/responses/${id}`)).json()).toMatchObject({ id });
  const body = JSON.stringify({ model: "m", input: "hello", background: true });
  expect((await world.request("/v1/responses", { method: "POST", body })).status).toBe(200);
  await world.waitUntilSettled(id);
  expect(await (await world.request(`/v1/responses/${id}`)).json()).toMatchObject({ id });
  const deleted = await world.request(`/v1/responses/${id}`, { method: "DELETE" });
  expect(await deleted.json()).toMatchObject({ id, deleted: true });
  expect((await world.request(`/results/${id}`)).status).toBe(404);
});

test("headers of OpenAI's that would act on this origin, or that name the key's owner, do not cross", async () => {
  const headers = {
    "set-cookie": "a=b",
    "clear-site-data": '"*"',
    "access-control-allow-origin": "*",
    "access-control-allow-private-network": "true",
    "openai-organization": "org",
    "openai-project": "proj",
    "cross-origin-resource-policy": "cross-origin",
    "service-worker-allowed": "/",
    "strict-transport-security": "max-age=1",
    refresh: "0;url=https://elsewhere.example",
    link: "</x>; rel=preload",
    "report-to": "{}",
    "x-request-id": "req_1",
    "x-ratelimit-remaining-requests": "9",
  };
  answerOther = (_, response) => {
    response.writeHead(200, { ...headers, "content-type": "application/json" });
    response.end("{}");
  };
  const answer = await world.request("/v1/models");
  const crossed = Object.keys(headers).filter((name) => answer.headers.has(name));
  expect(crossed).toEqual(["x-request-id", "x-ratelimit-remaining-requests"]);
});

test.each([
  ["GET", "/webhook", "POST"],
  ["DELETE", "/health", "GET"],
  ["PUT", "/login", "GET, POST"],
])("%s %s answers 405 with Allow, without a token", async (method, path, allow) => {
  const answer = await fetch(`${world.url}${path}`, { method });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe(allow);
  expect(await answer.json()).toMatchObject({ error: { code: "method_not_allowed" } });
});

test("masked credentials stay as they are, and what a gateway leaves open is removed, whichever member counts", async () => {
  const masked = { type: "mcp", headers: { x: "<redacted>" }, authorization: "<redacted>" };
  members = { tools: [masked] };
  const id = await world.trigger({ input: "hello" });
  await world.waitUntilSettled(id);
  const response = await (await world.request(`/results/${id}/response`)).text();
  expect(response).toBe(JSON.stringify({ ...toResponse({ id, background: true }), ...members }));
  members = { tools: [{ ...masked, authorization: "secret-of-a-user" }] };
  const other = await world.trigger({ input: "hello" });
  await world.waitUntilSettled(other);
  const removed = await (await world.request(`/results/${other}/response`)).text();
  expect(removed).not.toContain("secret-of-a-user");
});
