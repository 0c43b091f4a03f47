// Checks JSON answers of the Worker against the OpenAPI document that it serves.
import { z } from "zod";

const Reference = z.object({ $ref: z.string() });
const Content = z.record(
  z.string(),
  z.object({
    schema: z.looseObject({
      $ref: z.string().optional(),
      anyOf: z.array(Reference).optional(),
    }),
  }),
);
const Operation = z.object({
  operationId: z.string(),
  /** Absent where the document's default applies: a token. Empty for a public operation. */
  security: z.array(z.unknown()).optional(),
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});

/** The part of the document that tests read. Paths have their parameters in braces. */
export const OpenApiDocument = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
export type OpenApiDocument = z.infer<typeof OpenApiDocument>;

/** The error of the contract. */
export const ErrorBody = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string().min(10),
    request_id: z.string().optional(),
    id: z.string().optional(),
  }),
});

/** A longer body is not parsed a second time. */
const MAX_BODY_CHARACTERS = 1024 * 1024;

/** A route of the document: its method in lower case, its path, and the parameters of its query. */
export type ContractRoute = { method: string; path: string; isPublic: boolean; query: string[] };

/** Returns every operation of a document. */
export function listRoutes({ paths }: OpenApiDocument): ContractRoute[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security, parameters }]) => {
      const query = parameters.filter((one) => one.in === "query").map(({ name }) => name);
      return { method, path, isPublic: security?.length === 0, query };
    }),
  );
}

/**
 * Returns the JSON schema of an answer: of its body, of the data of an event, or of a line.
 * @param method In lower case.
 * @param path As the document writes it.
 * @returns Null when the document does not have the answer; undefined when its body has no shape of its own.
 */
export function findSchema(
  { paths, components }: OpenApiDocument,
  method: string,
  path: string,
  status: number,
  contentType = "application/json",
): Record<string, unknown> | null | undefined {
  const response = paths[path]?.[method]?.responses[String(status)];
  if (response === undefined) return null;
  const schema = response.content?.[contentType]?.schema;
  const resolve = (reference: string) => components.schemas[reference.split("/").at(-1) ?? ""];
  if (schema?.anyOf !== undefined) return { anyOf: schema.anyOf.map(({ $ref }) => resolve($ref)) };
  return schema?.$ref === undefined ? undefined : resolve(schema.$ref);
}

/** Throws when an answer does not match the contract. */
export type ContractCheck = (method: string, path: string, response: Response) => Promise<void>;

/**
 * Creates a check against the contract that a Worker serves.
 * @param load Fetches its /openapi.json.
 */
export function createContractCheck(load: () => Promise<Response>): ContractCheck {
  let loaded: Promise<OpenApiDocument | null> | null = null;
  return async (method, path, response) => {
    if (!(response.headers.get("content-type") ?? "").startsWith("application/json")) return;
    loaded ??= load().then(parseDocument);
    const document = await loaded;
    if (document === null) return;
    const schema = findAnswerSchema(document, method.toLowerCase(), path, response.status);
    const text = await response.clone().text();
    if (schema === undefined || text.length > MAX_BODY_CHARACTERS) return;
    const { error } = z.fromJSONSchema(schema).safeParse(JSON.parse(text));
    if (error !== undefined) throw new Error(`${method} ${path}: ${error.message}`);
  };
}

// A Worker without a token serves none.
async function parseDocument(response: Response): Promise<OpenApiDocument | null> {
  return response.ok ? OpenApiDocument.parse(await response.json()) : null;
}

function findAnswerSchema(
  document: OpenApiDocument,
  method: string,
  path: string,
  status: number,
): Record<string, unknown> | undefined {
  const template = Object.keys(document.paths).find((known) => matchesTemplate(known, path));
  if (template === undefined || document.paths[template]?.[method] === undefined) return undefined;
  const schema = findSchema(document, method, template, status);
  if (schema === null) throw new Error(`The contract has no ${status} of ${method} ${template}.`);
  return schema;
}

function matchesTemplate(template: string, path: string): boolean {
  const segments = path.split("?", 1)[0]?.split("/") ?? [];
  const parts = template.split("/");
  return (
    parts.length === segments.length &&
    parts.every((part, index) => part.startsWith("{") || part === segments[index])
  );
}
