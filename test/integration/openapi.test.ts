import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";

const Content = z.record(
  z.string(),
  z.object({ schema: z.object({ $ref: z.string() }).optional() }),
);
const Operation = z.object({
  security: z.array(z.unknown()).optional(),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
const Document = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

let world: World;
let document: z.infer<typeof Document>;
let id: string;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
  document = Document.parse(await (await world.ask("/openapi.json")).json());
  id = await world.trigger({ control: true, replay: true });
  await world.settled(id);
});
afterAll(() => world.close());

/** What the document says of an answer: null when it doesn't know it, undefined when it is no JSON of ours. */
function schemaFor(method: string, path: string, status: number) {
  const answer = document.paths[path]?.[method]?.responses[String(status)];
  if (answer === undefined) return null;
  const name = answer.content?.["application/json"]?.schema?.$ref.split("/").at(-1);
  return name === undefined ? undefined : document.components.schemas[name];
}

test("it is a valid OpenAPI document", async () => {
  const raw = z
    .record(z.string(), z.unknown())
    .parse(await (await world.ask("/openapi.json")).json());
  expect(await new Validator().validate(raw)).toMatchObject({ valid: true });
});

const METHODS = ["get", "post", "put", "patch", "delete"];
const MADE_UP = ["/nothing", "/result", "/results/resp_1/nothing", "/results/resp_1/files"];
const Failure = z.object({ error: z.object({ code: z.string() }) });

/** Whether the app has a handler for a method and a path of the document. */
async function isRouted(method: string, path: string): Promise<boolean> {
  const response = await world.ask(path.replaceAll(/\{\w+\}/g, "resp_1"), {
    method: method.toUpperCase(),
    // A trigger without a body would start a run.
    ...(method === "get" ? {} : { body: "[]" }),
  });
  if (response.status !== 404) {
    await response.body?.cancel();
    return true;
  }
  return Failure.parse(await response.json()).error.code !== "unknown_route";
}

test("the app has a route for every operation of the document, and 404 unknown_route for others", async () => {
  const operations = [...Object.keys(document.paths), ...MADE_UP].flatMap((path) =>
    METHODS.map((method) => ({ method, path })),
  );
  const routed: string[] = [];
  for (const { method, path } of operations) {
    if (await isRouted(method, path)) routed.push(`${method} ${path}`);
  }
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(new Set(routed)).toEqual(new Set(described));
  expect(described.length).toBeGreaterThan(15);
});

test("what it calls public is public, and nothing else", async () => {
  const shut = Object.entries(document.paths).filter(([, { get }]) => get !== undefined);
  for (const [path, { get }] of shut) {
    const headers = { authorization: "Bearer not-the-token-at-all" };
    const answer = await world.ask(path.replaceAll(/\{\w+\}/g, "resp_1"), { headers });
    await answer.body?.cancel();
    expect({ path, refused: answer.status === 401 }).toEqual({
      path,
      refused: get?.security === undefined,
    });
  }
});

const WRONG = { headers: { authorization: "Bearer not-the-token-at-all" } };
const NONE = "resp_nobody_knows";
const ANSWERS: [string, string, () => string, RequestInit?][] = [
  ["get", "/health", () => "/health"],
  ["get", "/results", () => "/results"],
  ["get", "/results", () => "/results?limit=0"],
  ["get", "/results", () => "/results", WRONG],
  ["get", "/results/{id}", () => `/results/${id}`],
  ["get", "/results/{id}", () => `/results/${NONE}`],
  ["get", "/results/{id}", () => `/results/${id}?wait=x`],
  ["get", "/results/{id}/outputs", () => `/results/${id}/outputs`],
  ["get", "/results/{id}/response", () => `/results/${id}/response`],
  ["get", "/results/{id}/response", () => `/results/${NONE}/response`],
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
  ["delete", "/results/{id}", () => `/results/${NONE}`],
];

test.each(ANSWERS)("a real answer to %s %s fits it (%#)", async (method, path, at, init) => {
  const answer = await world.ask(at(), { method: method.toUpperCase(), ...init });
  const text = await answer.text();
  const schema = schemaFor(method, path, answer.status);
  expect({ status: answer.status, known: schema !== null }).toMatchObject({ known: true });
  if (schema === undefined || schema === null) return;
  const fits = z.fromJSONSchema(schema).safeParse(JSON.parse(text));
  expect(fits.error?.issues ?? []).toEqual([]);
});

test("a record that has everything fits it", async () => {
  const Shape = z.fromJSONSchema(document.components.schemas["Record"] ?? {});
  const record: unknown = await (await world.ask(`/results/${id}`)).json();
  expect(Shape.safeParse(record).error).toBeUndefined();
  expect(Shape.safeParse({ ...Object(record), verdict: "fine" }).success).toBe(false);
});
