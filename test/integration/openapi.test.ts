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

test("a record with control and stream matches its schema", async () => {
  const RecordSchema = z.fromJSONSchema(document.components.schemas["Record"] ?? {});
  const record: unknown = await (await world.request(`/results/${id}`)).json();
  expect(RecordSchema.safeParse(record).error).toBeUndefined();
  expect(RecordSchema.safeParse({ ...Object(record), verdict: "fine" }).success).toBe(false);
});
