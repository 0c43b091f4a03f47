// The contract as an OpenAPI 3.1 document.
import * as z from "zod";
import { version } from "../../package.json";
import { IN_PATHS, ROUTES, type Answer, type Route } from "./operations.ts";
import { SHAPES, type Shape } from "./schemas.ts";

type Json = Record<string, unknown>;

const UNAUTHORIZED: Answer = { text: "Show the access token, or log in", shape: "Error" };
const CROSS_SITE: Answer = { text: "The request came from another site", shape: "Error" };
const BEING_REPLACED: Answer = { text: "Ask again in a second", shape: "Error" };
const NAMES = z.enum(["id", "file_id", "call_id", "n"]);

/**
 * The document.
 * @param url Where this Worker is.
 */
export function openapi(url: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "response-recorder",
      version,
      description:
        "Starts OpenAI background responses, and keeps the outputs it observed. Below /v1 it speaks OpenAI's own API, which its documents describe: https://platform.openai.com/docs/api-reference/responses",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url }],
    security: [{ token: [] }],
    paths: paths(),
    components: {
      schemas: Object.fromEntries(
        Object.entries(SHAPES).map(([name, shape]) => [name, schemaOf(shape)]),
      ),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function paths(): Record<string, Json> {
  const found: Record<string, Json> = {};
  for (const route of ROUTES)
    found[route.path] = { ...found[route.path], [route.method]: operation(route) };
  return found;
}

function operation(route: Route): Json {
  const answers = { ...turnsOf(route), ...route.answers, ...doorsOf(route) };
  const parameters = [
    ...inPath(route.path),
    ...parametersOf("query", route.query),
    ...parametersOf("header", route.headers),
  ];
  return {
    operationId: `${route.method} ${route.path}`,
    summary: route.text,
    ...(route.open === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { content: jsonOf(route.body) } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]),
    ),
  };
}

// What the door answers before the route is asked: a cookie alone doesn't make another site's post ours.
function doorsOf(route: Route): Record<number, Answer> {
  if (route.open === true) return {};
  return route.method === "get" ? { 401: UNAUTHORIZED } : { 401: UNAUTHORIZED, 403: CROSS_SITE };
}

// Whoever asks for a response while somebody has it looked at anew, or deletes it.
function turnsOf({ path }: Route): Record<number, Answer> {
  return path.startsWith("/results/{id}") ? { 503: BEING_REPLACED } : {};
}

const RETRY_AFTER = {
  "Retry-After": {
    description: "Seconds to wait, where the recorder itself refuses",
    schema: { type: "integer" },
  },
};

function answerOf({ text, shape, type, again }: Answer): Json {
  if (shape !== undefined) {
    const headers = again === true ? { headers: RETRY_AFTER } : {};
    return { description: text, ...headers, content: jsonOf(shape) };
  }
  return { description: text, ...(type === undefined ? {} : { content: { [type]: {} } }) };
}

function jsonOf(shape: Shape): Json {
  return { "application/json": { schema: { $ref: `#/components/schemas/${shape}` } } };
}

function inPath(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => {
    const name = NAMES.parse(word);
    return parameter("path", name, IN_PATHS[name], true);
  });
}

function parametersOf(where: string, shape: z.ZodObject | undefined): Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, field]) =>
    parameter(where, name, z.instanceof(z.ZodType).parse(field), false),
  );
}

function parameter(where: string, name: string, field: z.ZodType, required: boolean): Json {
  const { description, ...schema } = schemaOf(field);
  return {
    name,
    in: where,
    ...(required ? { required } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  };
}

// As OpenAPI 3.1 has it: JSON Schema 2020-12, without saying so each time.
function schemaOf(shape: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: "output", unrepresentable: "any" });
  return open(schema);
}

// What is added to an answer later must not make a reader refuse it.
function open(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => name !== "additionalProperties" || value !== false)
      .map(([name, value]) => [name, opened(value)]),
  );
}

function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  return parsed.success ? open(parsed.data) : value;
}
