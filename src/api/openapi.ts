// The contract as an OpenAPI 3.1 document.
import * as z from "zod";
import { version } from "../../package.json";
import { lazy } from "../lib/lazy.ts";
import { listOperations, PATH_PARAMS } from "./operations.ts";
import { commonResponses, type OperationResponse } from "./responses.ts";
import { SCHEMAS, type SchemaName } from "./schemas.ts";

type Json = Record<string, unknown>;

/** A parameter of an operation. */
export type Parameter = {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  style?: string;
  explode?: boolean;
  schema: Json;
};
type ListedOperation = ReturnType<typeof listOperations>[number];

const PathParamName = z.enum(["id", "file_id", "call_id", "n"]);

/** Every shape of the contract by its name, as JSON Schema. Made once: it takes most of the 20 ms of CPU time that the document takes. */
export const listShapes = lazy((): Record<string, Json> => {
  const shapes = Object.entries(SCHEMAS);
  return Object.fromEntries(shapes.map(([name, schema]) => [name, toJsonSchema(schema)]));
});

const toDocument = lazy(createDocument);

/**
 * The document.
 * @param url The origin of this Worker.
 */
export function toOpenApi(url: string): Json {
  return { ...toDocument(), servers: [{ url }] };
}

function createDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "response-recorder",
      version,
      description:
        "Starts OpenAI background responses, and stores the outputs it observed. Below /v1 it speaks OpenAI's own API, which its documents describe: https://platform.openai.com/docs/api-reference/responses. There the request header X-Recorder-Hold (on, off) says whether a background run is held in the foreground, and the answer's header X-Recorder what became of it (held, or background and a reason); without it the setting HOLD decides.",
      license: { name: "MIT", identifier: "MIT" },
    },
    security: [{ token: [] }],
    paths: toPaths(),
    components: {
      schemas: listShapes(),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "ACCESS_TOKEN, or READ_TOKEN for what reads",
        },
      },
    },
  };
}

function toPaths(): Record<string, Json> {
  const paths: Record<string, Json> = {};
  for (const operation of listOperations()) {
    const path = operation.path.replaceAll(/:(\w+)/g, "{$1}");
    const method = operation.method.toLowerCase();
    paths[path] = { ...paths[path], [method]: toOperationObject(operation) };
  }
  return paths;
}

function toOperationObject(operation: ListedOperation): Json {
  const responses = { ...commonResponses(operation), ...operation.responses };
  const parameters = listParameters(operation);
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...(operation.public === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === undefined
      ? {}
      : { requestBody: { content: toContent({ description: "", schema: operation.body }) } }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [status, toResponseObject(response)]),
    ),
  };
}

const LOCATION = { Location: { description: "Where it leads", schema: { type: "string" } } };
const RETRY_AFTER = {
  "Retry-After": {
    description: "Seconds to wait; absent when waiting changes nothing, or OpenAI refuses",
    schema: { type: "integer" },
  },
};
const X_VERDICT = {
  "X-Verdict": {
    description: "The run's verdict, or with `call` the call's; absent without a record",
    schema: { type: "string" },
  },
};

function toResponseObject(response: OperationResponse): Json {
  const { description, retryAfter, verdict, location } = response;
  const headers = {
    ...(location === true ? LOCATION : {}),
    ...(retryAfter === true ? RETRY_AFTER : {}),
    ...(verdict === true ? X_VERDICT : {}),
  };
  const content = toContent(response);
  return {
    description,
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

function toContent({ schema, contentType, html }: OperationResponse): Json {
  const page = html === true ? { "text/html": { schema: { type: "string" } } } : {};
  if (schema !== undefined) {
    return { [contentType ?? "application/json"]: { schema: toReference(schema) }, ...page };
  }
  return contentType === undefined
    ? page
    : { [contentType]: { schema: toBodySchema(contentType) } };
}

function toReference(schema: SchemaName | readonly SchemaName[]): Json {
  if (typeof schema !== "string") return { anyOf: schema.map(toReference) };
  return { $ref: `#/components/schemas/${schema}` };
}

// Of a body without a shape of ours.
function toBodySchema(contentType: string): Json {
  if (contentType === "application/json") return { type: "object" };
  return contentType.startsWith("text/")
    ? { type: "string" }
    : { type: "string", format: "binary" };
}

/** The parameters of an operation. */
export function listParameters(operation: ListedOperation): Parameter[] {
  return [
    ...pathParameters(operation.path),
    ...toParameters("query", operation.query),
    ...toParameters("header", operation.headers),
  ];
}

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, word]) => {
    const name = PathParamName.parse(word);
    return toParameter("path", name, PATH_PARAMS[name], true);
  });
}

function toParameters(where: string, object: z.ZodObject | undefined): Parameter[] {
  return Object.entries(object?.shape ?? {}).map(([name, field]) =>
    toParameter(where, name, z.instanceof(z.ZodType).parse(field), false),
  );
}

function toParameter(where: string, name: string, field: z.ZodType, required: boolean): Parameter {
  const { description, ...schema } = toJsonSchema(field);
  return {
    name,
    in: where,
    ...(required ? { required } : {}),
    ...(typeof description === "string" ? { description } : {}),
    // An object's members are parameters of their own: metadata[key]=value.
    ...(schema["type"] === "object" ? { style: "deepObject", explode: true } : {}),
    schema,
  };
}

// OpenAPI 3.1 uses JSON Schema 2020-12, so a schema need not name its dialect.
function toJsonSchema(type: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: "output", unrepresentable: "any" });
  return allowExtraFields(schema);
}

// A later version may add fields to an answer: clients must not refuse them.
function allowExtraFields(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name, value]) => name !== "additionalProperties" || value !== false)
      .map(([name, value]) => [name, allowExtraFieldsIn(value)]),
  );
}

function allowExtraFieldsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(allowExtraFieldsIn);
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  return parsed.success ? allowExtraFields(parsed.data) : value;
}
