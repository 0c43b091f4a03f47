// What opens without a token, over every route of the contract.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorBody, listRoutes, OpenApiDocument } from "../support/contract.ts";
import { RawClient, type RawResponse } from "../support/raw-client.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

/** The contract's document does not have OpenAI's own API. */
const V1_ROUTES = [
  ["GET", "/v1/models"],
  ["POST", "/v1/responses"],
  ["GET", "/v1/responses/resp_1"],
  ["DELETE", "/v1/responses/resp_1"],
  ["GET", "/v1"],
] as const;

type Route = { method: string; path: string };

let world: World;
let client: RawClient;
let publicRoutes: Route[];
let protectedRoutes: Route[];
beforeAll(async () => {
  world = await startWorld();
  client = new RawClient(world.url);
  const document = OpenApiDocument.parse(await (await world.request("/openapi.json")).json());
  const routes = listRoutes(document).map(({ method, path, isPublic }) => ({
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, "resp_1"),
    isPublic,
  }));
  publicRoutes = routes.filter(({ isPublic }) => isPublic);
  protectedRoutes = [
    ...routes.filter(({ isPublic }) => !isPublic),
    ...V1_ROUTES.map(([method, path]) => ({ method, path })),
    { method: "GET", path: "/nothing" },
  ];
});
afterAll(async () => {
  client.close();
  await world.close();
});

function send({ method, path }: Route, headers: Record<string, string> = {}): Promise<RawResponse> {
  return client.send({ method, path, headers, body: null });
}

/** Sends a request to each route; returns those that were not refused, with their status. */
async function findOpenRoutes(
  routes: Route[],
  headers: Record<string, string> = {},
  refusals: number[] = [401],
): Promise<string[]> {
  const answers = await Promise.all(
    routes.map(async (route) => ({ route, answer: await send(route, headers) })),
  );
  return answers
    .filter(({ answer }) => !refusals.includes(answer.status))
    .map(({ route, answer }) => `${route.method} ${route.path}: ${answer.status}`);
}

test("only /webhook, /health and /login are public", () => {
  const names = publicRoutes.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(names)).toEqual(
    new Set(["POST /webhook", "GET /health", "GET /login", "POST /login"]),
  );
  expect(protectedRoutes.length).toBeGreaterThan(20);
});

const TOKENS: [string, Record<string, string>][] = [
  ["no token", {}],
  ["an empty token", { authorization: "Bearer " }],
  ["another token", { authorization: "Bearer a-token-for-tests-onlz" }],
  ["more than the token", { authorization: `Bearer ${TOKEN}x` }],
  ["less than the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ["the token in capitals", { authorization: `Bearer ${TOKEN.toUpperCase()}` }],
  ["the token twice", { authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` }],
  ["the token by another scheme", { authorization: `Basic ${TOKEN}` }],
  ["the bare token", { authorization: TOKEN }],
  ["the token under another name", { "x-authorization": `Bearer ${TOKEN}`, "x-api-key": TOKEN }],
  ["the token as a cookie", { cookie: `session=${TOKEN}; __Host-session=${TOKEN}` }],
];

test.each(TOKENS)("every protected route answers 401 to a request with %s", async (_, headers) => {
  expect(await findOpenRoutes(protectedRoutes, headers)).toEqual([]);
});

test("every protected route answers 401 to the token in its query or path", async () => {
  const routes = protectedRoutes.flatMap(({ method, path }) => [
    { method, path: `${path}?access_token=${TOKEN}&token=${TOKEN}` },
    { method, path: `${path}/${TOKEN}` },
  ]);
  expect(await findOpenRoutes(routes)).toEqual([]);
});

// The runtime itself refuses FOO.
test.each(["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "FOO"])(
  "%s without a token opens no protected path",
  async (method) => {
    const routes = protectedRoutes.map(({ path }) => ({ method, path }));
    expect(await findOpenRoutes(routes, {}, method === "FOO" ? [501] : [401])).toEqual([]);
  },
);

const SPELLINGS: [string, (path: string) => string][] = [
  ["a slash at its end", (path) => `${path}/`],
  ["double slashes", (path) => path.replaceAll("/", "//")],
  ["a dot before it", (path) => `/.${path}`],
  ["a path out of /login", (path) => `/login/..${path}`],
  ["an encoded path out of /login", (path) => `/login/%2e%2e${path}`],
  ["a path out of /webhook with encoded slashes", (path) => `/webhook%2f..${path}`],
  ["a path out of /assets", (path) => `/assets/..${path}`],
  ["an encoded path out of /assets", (path) => `/assets%2f..%2f${path.slice(1)}`],
  ["a public path before it", (path) => `/health${path}`],
  ["a public path after a semicolon", (path) => `${path};/health`],
  ["a public path in the query", (path) => `${path}?/login`],
  ["a public path after a hash", (path) => `${path}#/login`],
  ["encoded slashes", (path) => `/${path.slice(1).replaceAll("/", "%2f")}`],
  ["an encoded letter", (path) => path.replaceAll("s", "%73")],
  ["a NUL", (path) => `${path}%00`],
  ["a lone percent sign", (path) => `${path}%`],
  ["bytes that are not UTF-8", (path) => `${path}%ff%fe`],
  ["capitals", (path) => path.toUpperCase()],
  ["another host", (path) => `http://elsewhere.example/login/..${path}`],
];

test.each(SPELLINGS)("every protected route answers 401 with %s in its path", async (_, spell) => {
  const routes = protectedRoutes.map(({ method, path }) => ({ method, path: spell(path) }));
  expect(await findOpenRoutes(routes)).toEqual([]);
});

test("every protected route answers 400 or 401 with backslashes in its path", async () => {
  const routes = protectedRoutes.map(({ method, path }) => ({
    method,
    path: path.replaceAll("/", "\\"),
  }));
  expect(await findOpenRoutes(routes, {}, [400, 401])).toEqual([]);
});

test("a request without a token gets 401 unauthorized in the contract's shape, without a KV operation or a request to OpenAI", async () => {
  const operations = world.kvOperations().length;
  for (const route of protectedRoutes.filter(({ path }) => !path.startsWith("/v1"))) {
    const { headers, body } = await send(route);
    expect(ErrorBody.parse(JSON.parse(body ?? "")).error.code).toBe("unauthorized");
    expect(headers.get("www-authenticate")).toBe("Bearer");
  }
  expect(world.kvOperations()).toHaveLength(operations);
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
});

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const ANSWERS: [string, number, Route, Record<string, string>?][] = [
  ["a page", 200, { method: "GET", path: "/login" }],
  ["the health check", 200, { method: "GET", path: "/health" }],
  ["JSON", 200, { method: "GET", path: "/results" }, AUTHORIZED],
  [
    "the page of the list",
    200,
    { method: "GET", path: "/results" },
    { ...AUTHORIZED, accept: "text/html" },
  ],
  ["HEAD", 200, { method: "HEAD", path: "/results" }, AUTHORIZED],
  ["events", 200, { method: "GET", path: "/results/resp_unknown/events" }, AUTHORIZED],
  ["a redirection", 302, { method: "GET", path: "/" }, AUTHORIZED],
  [
    "the redirection to the login",
    302,
    { method: "GET", path: "/results" },
    { accept: "text/html" },
  ],
  ["a wrong query", 400, { method: "GET", path: "/results?limit=x" }, AUTHORIZED],
  ["a webhook without a signature", 400, { method: "POST", path: "/webhook" }],
  ["no token", 401, { method: "GET", path: "/results" }],
  ["OPTIONS", 401, { method: "OPTIONS", path: "/results" }],
  ["another site", 403, { method: "POST", path: "/login" }],
  ["an unknown route", 404, { method: "GET", path: "/nothing" }, AUTHORIZED],
  [
    "the page of an unknown route",
    404,
    { method: "GET", path: "/x" },
    { ...AUTHORIZED, accept: "text/html" },
  ],
  ["an asset", 200, { method: "GET", path: "/assets/style.css" }],
  ["a POST to an asset", 405, { method: "POST", path: "/assets/style.css" }],
  ["an unknown asset", 401, { method: "GET", path: "/assets/none.css" }],
  ["the file of the assets' headers", 401, { method: "GET", path: "/_headers" }],
  ["OpenAI's answer", 200, { method: "GET", path: "/v1/models" }, AUTHORIZED],
  ["an unknown route below /v1", 404, { method: "GET", path: "/v1/nothing" }, AUTHORIZED],
  ["no token below /v1", 401, { method: "GET", path: "/v1/models" }],
];

test.each(ANSWERS)("%s (%i) has the security headers", async (_, status, route, headers) => {
  const answer = await send(route, headers);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = route.path.startsWith("/v1")
    ? /^sandbox$/
    : /^default-src 'none'.*frame-ancestors 'none'$/;
  expect(answer.headers.get("content-security-policy")).toMatch(policy);
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
});

test("answers to requests with a token forbid caching", async () => {
  for (const path of ["/results", "/nothing", "/trigger", "/openapi.json"]) {
    const { headers } = await send({ method: "GET", path }, AUTHORIZED);
    expect(headers.get("cache-control")).toBe("private, no-store");
  }
});
