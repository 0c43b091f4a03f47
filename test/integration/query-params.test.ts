// Query parameters that a route does not have are refused: ignored in silence, a filter with a typing error would show every run.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorBody, listRoutes, OpenApiDocument, type ContractRoute } from "../support/contract.ts";
import { matching } from "../support/matchers.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

let world: World;
let routes: ContractRoute[];
beforeAll(async () => {
  world = await startWorld();
  const document: unknown = await (await world.request("/openapi.json")).json();
  routes = listRoutes(OpenApiDocument.parse(document));
});
afterAll(() => world.close());

function send({ method, path }: ContractRoute, query: string, headers = {}): Promise<Response> {
  const url = `${path.replaceAll(/\{\w+\}/g, "resp_1")}${query}`;
  // The login and the pages' forms want to know where they come from.
  return world.request(url, {
    method: method.toUpperCase(),
    headers: { origin: world.url, ...headers },
  });
}

test("every route but /webhook answers 400 bad_query to an unknown query parameter, and lists those that it has", async () => {
  const checked = routes.filter(({ path }) => path !== "/webhook");
  expect(checked.length).toBeGreaterThan(15);
  for (const route of checked) {
    const answer = await send(route, "?limt=5");
    const { error } = ErrorBody.parse(await answer.json());
    const names = route.query.map((name) => (name === "metadata" ? "metadata[key]" : name));
    const known = names.length === 0 ? "no query parameters" : names.join(", ");
    expect({ ...route, status: answer.status, ...error }).toEqual({
      ...route,
      status: 400,
      code: "bad_query",
      message: `limt is unknown here. This route takes ${known}.`,
    });
  }
  // Runs of the tests before may still be refetched.
  const requests = await world.emulator.listRequests();
  expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("an unknown query parameter is a page for a browser, and 401 comes before it", async () => {
  const answer = await world.request("/results?limt=5", { headers: { accept: "text/html" } });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    matching(/limt is unknown here\. This route takes limit, /),
  ]);
  const stranger = await fetch(`${world.url}/results?limt=5`);
  expect(stranger.status).toBe(401);
});

const BAD = [
  ["/results?limit=abc", "limit must be a whole number from 1 to 100."],
  ["/results?limit=101", "limit must be a whole number from 1 to 100."],
  ["/results?limit=5&limit=6", "Give limit only once."],
  ["/results?verdict=fine", /^verdict must be one of captured, .*pending, /],
  ["/results?held=yes", "held must be one of true, false."],
  ["/results?since=yesterday", /^since must be a date, or a time in ISO 8601/],
  ["/results?metadata=a", "metadata must be given as metadata[key]=value."],
  ["/results?metadata[__proto__]=a", /^metadata\[__proto__\] is unknown here\. /],
  ["/results?metadata=__proto__=a", "metadata must be given as metadata[key]=value."],
  ["/results.ndjson?limit=51", "limit must be a whole number from 1 to 50."],
  ["/results/resp_1?wait=soon", "wait must be a number of seconds from 0 to 60."],
  ["/results/resp_1?wait=61", "wait must be a number of seconds from 0 to 60."],
  ["/results/resp_1?until=end", "until must be one of readable, settled."],
  ["/results/resp_1/outputs?call=0", "call must be the number of a call, from 1."],
  ["/results/resp_1/outputs?call=first", "call must be the number of a call, from 1."],
  ["/results/resp_1/outputs?from=background", "from must be control."],
  ["/results/resp_1/outputs?strict=no", "strict must be one of true, false."],
] as const;

test.each(BAD)("GET %s answers 400 and says what the value must be", async (path, message) => {
  const answer = await world.request(path);
  expect([answer.status, await answer.json()]).toEqual([
    400,
    {
      error: {
        code: "bad_query",
        message: typeof message === "string" ? message : matching(message),
      },
    },
  ]);
});

function toPairs(count: number): string {
  return Array.from({ length: count }, (_, index) => `metadata[key${index}]=value`).join("&");
}

test.each([17, 120])("a list and an export of %i pairs of metadata answer 400", async (count) => {
  for (const path of ["/results", "/results.ndjson"]) {
    const answer = await world.request(`${path}?${toPairs(count)}`);
    const { error } = ErrorBody.parse(await answer.json());
    expect([answer.status, error.message]).toEqual([400, "metadata must have at most 16 pairs."]);
  }
});

test("GET /results takes sixteen pairs of metadata with every other filter, as JSON and as a page", async () => {
  const others =
    "verdict=lost&status=completed&model=a&started_by=v1&held=true&since=2026-01-01&until=2026-01-02&q=a";
  const path = `/results?${toPairs(16)}&${others}&cursor=MDAwMDAwMDAwMDAwMDAwMQ`;
  for (const accept of ["application/json", "text/html"]) {
    expect((await world.request(path, { headers: { accept } })).status).toBe(200);
  }
});

test("POST /webhook ignores its query, so that no event is lost by the URL that was registered", async () => {
  const id = `resp_${"w".repeat(20)}`;
  const body = JSON.stringify({ type: "response.completed", data: { id } });
  const headers = signWebhook(body, WEBHOOK_SECRET);
  const answer = await world.request("/webhook?from=openai", { method: "POST", body, headers });
  expect(answer.status).toBe(200);
});

test("/v1 passes every query on", async () => {
  await world.emulator.clearRequests();
  await world.request("/v1/models?limt=5");
  const [request] = await world.emulator.listRequests();
  expect(request?.query).toEqual({ limt: ["5"] });
});
