import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ErrorBody, findSchema, listRoutes, OpenApiDocument } from "../support/contract.ts";
import { startWorld, type World } from "../support/world.ts";

const WRONG_TOKEN = { headers: { authorization: "Bearer not-the-token-at-all" } };

let world: World;
let document: OpenApiDocument;
let id: string;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
  document = OpenApiDocument.parse(await (await world.request("/openapi.json")).json());
  id = await world.trigger({ control: true, stream: true });
  await world.waitUntilSettled(id);
});
afterAll(() => world.close());

test("GET /openapi.json returns a valid OpenAPI document", async () => {
  const raw = z
    .record(z.string(), z.unknown())
    .parse(await (await world.request("/openapi.json")).json());
  expect(await new Validator().validate(raw)).toMatchObject({ valid: true });
});

test("GET /openapi.json gives each operation a name in camelCase that no other has", () => {
  const names = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  );
  expect(names.filter((name) => !/^[a-z]+([A-Z][a-z]+)*$/.test(name))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("followRun");
});

test("GET /openapi.json gives every body of an answer a shape", () => {
  const bodies = listAnswers(document);
  expect(bodies.filter(({ schema }) => Object.keys(schema).length === 0)).toEqual([]);
  expect(bodies.length).toBeGreaterThan(80);
});

function listAnswers({ paths }: OpenApiDocument) {
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  const answers = operations.flatMap(({ responses }) => Object.values(responses));
  return answers.flatMap(({ content }) => Object.values(content ?? {}));
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const UNKNOWN_PATHS = ["/nothing", "/result", "/results/resp_1/nothing", "/results/resp_1/files"];

/** Whether the app has a handler for a method and a path of the document. */
async function isRouted(method: string, path: string): Promise<boolean> {
  const response = await world.request(path.replaceAll(/\{\w+\}/g, "resp_1"), {
    method: method.toUpperCase(),
    // A trigger without a body would start a run.
    ...(method === "get" ? {} : { body: "[]" }),
  });
  if (response.status !== 404 && response.status !== 405) {
    await response.body?.cancel();
    return true;
  }
  const { error } = ErrorBody.parse(await response.json());
  return error.code !== "unknown_route" && error.code !== "method_not_allowed";
}

test("GET /openapi.json describes every route of the app, and other paths answer 404 unknown_route, other methods 405", async () => {
  const operations = [...Object.keys(document.paths), ...UNKNOWN_PATHS].flatMap((path) =>
    METHODS.map((method) => ({ method, path })),
  );
  const routed: string[] = [];
  for (const { method, path } of operations) {
    if (await isRouted(method, path)) routed.push(`${method} ${path}`);
  }
  const described = listRoutes(document).map(({ method, path }) => `${method} ${path}`);
  expect(new Set(routed)).toEqual(new Set(described));
  expect(described.length).toBeGreaterThan(15);
});

test("GET routes answer 401 to a wrong token unless GET /openapi.json calls them public", async () => {
  for (const { path, isPublic } of listRoutes(document).filter(({ method }) => method === "get")) {
    const answer = await world.request(path.replaceAll(/\{\w+\}/g, "resp_1"), WRONG_TOKEN);
    await answer.body?.cancel();
    expect({ path, isPublic: answer.status !== 401 }).toEqual({ path, isPublic });
  }
});

const UNKNOWN_ID = "resp_unknown";
const ANSWERS: [string, string, () => string, RequestInit?][] = [
  ["get", "/health", () => "/health"],
  ["get", "/results", () => "/results"],
  ["get", "/results", () => "/results?limit=0"],
  ["get", "/results", () => "/results", WRONG_TOKEN],
  ["get", "/results/{id}", () => `/results/${id}`],
  ["get", "/results/{id}", () => `/results/${UNKNOWN_ID}`],
  ["get", "/results/{id}", () => `/results/${id}?wait=x`],
  ["get", "/results/{id}/outputs", () => `/results/${id}/outputs`],
  ["get", "/results/{id}/response", () => `/results/${id}/response`],
  ["get", "/results/{id}/response", () => `/results/${UNKNOWN_ID}/response`],
  ["get", "/results.ndjson", () => "/results.ndjson?limit=0"],
  ["get", "/results/{id}/files/{file_id}", () => `/results/${id}/files/none`],
  ["get", "/results/{id}/images/{call_id}/{n}", () => `/results/${id}/images/none/0`],
  ["get", "/stats", () => "/stats"],
  ["get", "/stats", () => "/stats?days=0"],
  ["post", "/catalog/rebuild", () => "/catalog/rebuild"],
  ["post", "/catalog/rebuild", () => "/catalog/rebuild?limit=0"],
  ["get", "/openapi.json", () => "/openapi.json"],
  ["get", "/openapi", () => "/openapi"],
  ["post", "/trigger", () => "/trigger", { body: "{}" }],
  ["post", "/trigger", () => "/trigger", { body: "[]" }],
  ["post", "/trigger", () => "/trigger", { body: '{"hold": true}' }],
  ["post", "/webhook", () => "/webhook", { body: "{}" }],
  ["post", "/results/{id}/cancel", () => `/results/${id}/cancel`],
  ["post", "/results/{id}/refetch", () => `/results/${id}/refetch`],
  ["post", "/results/{id}/refetch", () => "/results/nothing/refetch"],
  ["delete", "/results/{id}", () => `/results/${UNKNOWN_ID}`],
];

test.each(ANSWERS)(
  "the answer to %s %s matches its schema (%#)",
  async (method, path, toUrl, init) => {
    const answer = await world.request(toUrl(), { method: method.toUpperCase(), ...init });
    const text = await answer.text();
    const schema = findSchema(document, method, path, answer.status);
    expect({ status: answer.status, isDescribed: schema !== null }).toMatchObject({
      isDescribed: true,
    });
    if (schema === undefined || schema === null) return;
    const { error } = z.fromJSONSchema(schema).safeParse(JSON.parse(text));
    expect(error?.issues ?? []).toEqual([]);
  },
);

/** The schema of what an answer that is not JSON consists of. */
function partSchema(path: string, contentType: string): z.ZodType {
  return z.fromJSONSchema(findSchema(document, "get", path, 200, contentType) ?? {});
}

/** The data of the steps in an event stream, or in the beginning of one. */
function parseSteps(text: string): unknown[] {
  return [...text.matchAll(/^event: step\ndata: (.+)\n/gm)].map(([, data = ""]): unknown =>
    JSON.parse(data),
  );
}

test("the events of a run match their schema, and name kind, channel, status and verdict", async () => {
  const Step = partSchema("/results/{id}/events", "text/event-stream");
  const steps = parseSteps(await (await world.request(`/results/${id}/events`)).text());
  expect(steps.flatMap((step) => Step.safeParse(step).error?.issues ?? [])).toEqual([]);
  const observed = { kind: "observed", channel: "refetch", status: "completed", verdict: "lost" };
  expect(steps).toContainEqual(expect.objectContaining(observed));
  expect(Step.safeParse({ ...Object(steps[0]), kind: "lunch" }).success).toBe(false);
  expect(Step.safeParse({ ...Object(steps[0]), verdict: undefined }).success).toBe(false);
});

test("the events of a run in flight match their schema, and say what it waits for", async () => {
  await world.emulator.configure({ runSeconds: 30 });
  const Step = partSchema("/results/{id}/events", "text/event-stream");
  const running = await world.trigger();
  const { body } = await world.request(`/results/${running}/events`);
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (parseSteps(text).length < 2) text += (await reader?.read())?.value ?? "";
  await reader?.cancel();
  const steps = parseSteps(text);
  expect(steps.flatMap((step) => Step.safeParse(step).error?.issues ?? [])).toEqual([]);
  expect(steps).toMatchObject([
    { kind: "started", verdict: "pending" },
    { kind: "waiting", verdict: "pending", status: "queued" },
  ]);
});

test("the lines of the export match their schema", async () => {
  const Line = partSchema("/results.ndjson", "application/x-ndjson");
  const lines = (await (await world.request("/results.ndjson")).text()).trim().split("\n");
  const parsed = lines.map((line): unknown => JSON.parse(line));
  expect(parsed.flatMap((line) => Line.safeParse(line).error?.issues ?? [])).toEqual([]);
  expect(lines.length).toBeGreaterThan(1);
  expect(Line.safeParse({ cursor: 1 }).success).toBe(false);
});

test("a record with control and stream matches its schema", async () => {
  const RecordSchema = z.fromJSONSchema(document.components.schemas["Record"] ?? {});
  const record: unknown = await (await world.request(`/results/${id}`)).json();
  expect(RecordSchema.safeParse(record).error).toBeUndefined();
  expect(RecordSchema.safeParse({ ...Object(record), verdict: "fine" }).success).toBe(false);
});
