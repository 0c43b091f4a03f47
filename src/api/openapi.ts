// The contract as an OpenAPI 3.1 document.
import * as z from "zod";
import { version } from "../../package.json";
import { listOperations, PATH_PARAMS, type OperationResponse } from "./operations.ts";
import { SCHEMAS, type SchemaName } from "./schemas.ts";

type Json = Record<string, unknown>;
type ListedOperation = ReturnType<typeof listOperations>[number];

const UNAUTHORIZED: OperationResponse = {
  description: "Send the access token, or log in",
  schema: "Error",
};
const CROSS_SITE = "`cross_site`: the request came from another site";
const READ_ONLY = "`read_only`: READ_TOKEN does not open this";
const BAD_QUERY: OperationResponse = {
  description: "`bad_query`: a query parameter is unknown, or its value can't be used",
  schema: "Error",
};
const RESTARTING: OperationResponse = { description: "Retry in a second", schema: "Error" };
const PathParamName = z.enum(["id", "file_id", "call_id", "n"]);

/**
 * The document.
 * @param url The origin of this Worker.
 */
export function toOpenApi(url: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "response-recorder",
      version,
      description:
        "Starts OpenAI background responses, and stores the outputs it observed. Below /v1 it speaks OpenAI's own API, which its documents describe: https://platform.openai.com/docs/api-reference/responses. There the request header X-Recorder-Hold (on, off) says whether a background run is held in the foreground, and the answer's header X-Recorder what became of it (held, or background and a reason); without it the setting HOLD decides.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url }],
    security: [{ token: [] }],
    paths: toPaths(),
    components: {
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, toJsonSchema(schema)]),
      ),
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
    paths[path] = { ...paths[path], [method]: toOperationObject(operation, `${method} ${path}`) };
  }
  return paths;
}

function toOperationObject(operation: ListedOperation, operationId: string): Json {
  const responses = {
    ...queryResponses(operation),
    ...conflictResponses(operation),
    ...operation.responses,
    ...authResponses(operation),
  };
  const parameters = [
    ...pathParameters(operation.path),
    ...toParameters("query", operation.query),
    ...toParameters("header", operation.headers),
  ];
  return {
    operationId,
    summary: operation.summary,
    ...(operation.public === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === undefined
      ? {}
      : { requestBody: { content: jsonContent(operation.body) } }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [status, toResponseObject(response)]),
    ),
  };
}

function queryResponses({ ignoresQuery }: ListedOperation): Record<number, OperationResponse> {
  return ignoresQuery === true ? {} : { 400: BAD_QUERY };
}

// What the authentication answers before the route runs. A session cookie does not let another site send a POST.
function authResponses({
  public: isPublic,
  method,
  reads,
}: ListedOperation): Record<number, OperationResponse> {
  if (isPublic === true) return {};
  const reasons = [...(method === "GET" ? [] : [CROSS_SITE]), ...(reads ? [] : [READ_ONLY])];
  if (reasons.length === 0) return { 401: UNAUTHORIZED };
  return { 401: UNAUTHORIZED, 403: { description: reasons.join(". "), schema: "Error" } };
}

// A response's Recorder may be restarting, as each does when the Worker is deployed.
function conflictResponses({ path }: ListedOperation): Record<number, OperationResponse> {
  return path.startsWith("/results/:id") ? { 503: RESTARTING } : {};
}

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
  const { description, schema, contentType, retryAfter, verdict } = response;
  const headers = {
    ...(retryAfter === true ? RETRY_AFTER : {}),
    ...(verdict === true ? X_VERDICT : {}),
  };
  const described = { description, ...(Object.keys(headers).length === 0 ? {} : { headers }) };
  if (schema !== undefined) return { ...described, content: jsonContent(schema) };
  return contentType === undefined ? described : { ...described, content: { [contentType]: {} } };
}

function jsonContent(name: SchemaName): Json {
  return { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, word]) => {
    const name = PathParamName.parse(word);
    return toParameter("path", name, PATH_PARAMS[name], true);
  });
}

function toParameters(where: string, object: z.ZodObject | undefined): Json[] {
  return Object.entries(object?.shape ?? {}).map(([name, field]) =>
    toParameter(where, name, z.instanceof(z.ZodType).parse(field), false),
  );
}

function toParameter(where: string, name: string, field: z.ZodType, required: boolean): Json {
  const { description, ...schema } = toJsonSchema(field);
  return {
    name,
    in: where,
    ...(required ? { required } : {}),
    ...(description === undefined ? {} : { description }),
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
