// What operations answer: the answers that several of them have.
import type { SchemaName } from "./schemas.ts";

/** One answer of an operation. */
export type OperationResponse = {
  description: string;
  /** The shape of its JSON, of one event's data, or of a line: with several, each line has one of them. */
  schema?: SchemaName | readonly SchemaName[];
  /** Where it is not JSON with that shape. */
  contentType?: string;
  /** Whether a browser gets a page in its place. */
  html?: boolean;
  /** Whether a `Location` header comes with it. */
  location?: boolean;
  /** Whether a `Retry-After` header may come with it. */
  retryAfter?: boolean;
  /** Whether an `X-Verdict` header comes with it, when there is a record. */
  verdict?: boolean;
};

export const JSON_TYPE = "application/json";
export const HTML = { description: "A page", contentType: "text/html" };
export const NOT_FOUND = {
  description: "There is no such record, or the id is not valid",
  schema: "Error",
} as const;
export const NOT_FINISHED = {
  description: "The response has not ended, or is not known",
  schema: "Error",
  retryAfter: true,
} as const;
export const BAD_CURSOR = {
  description: "`bad_query`, or `bad_cursor`: the cursor is not one of a page before",
  schema: "Error",
} as const;
export const TOO_LARGE = {
  description: "`too_large`: the body is too large",
  schema: "Error",
} as const;
export const OPENAI_REFUSAL = {
  description: "OpenAI's refusal, with its words",
  schema: "Error",
} as const;
export const ACCEPTED = { description: "It will be done", schema: "Accepted" } as const;
export const REDIRECT = { description: "To the run's page, for a browser", location: true };
export const CROSS_SITE = {
  description: "`cross_site`: the request came from another site",
  schema: "Error",
} as const;

const UNAUTHORIZED: OperationResponse = {
  description: "Send the access token, or log in",
  schema: "Error",
};
const READ_ONLY = "`read_only`: READ_TOKEN does not open this";
const BAD_QUERY: OperationResponse = {
  description: "`bad_query`: a query parameter is unknown, or its value can't be used",
  schema: "Error",
};
const NOT_CONFIGURED: OperationResponse = {
  description: "`not_configured`: a setting is missing or malformed",
  schema: "Error",
};

/** What every operation can answer, unless it has no query or needs no token. */
export const COMMON_RESPONSES: Record<number, OperationResponse> = {
  400: BAD_QUERY,
  401: UNAUTHORIZED,
  403: { ...CROSS_SITE, description: `${CROSS_SITE.description}. ${READ_ONLY}` },
  503: NOT_CONFIGURED,
};

/** What an operation answers before its route runs. A session cookie does not let another site send a POST. */
export function commonResponses(operation: {
  public?: boolean;
  ignoresQuery?: boolean;
  method: string;
  reads: boolean;
}): Record<number, OperationResponse> {
  const responses: Record<number, OperationResponse> = {};
  if (operation.ignoresQuery !== true) responses[400] = BAD_QUERY;
  if (operation.public === true) return responses;
  const reasons = [
    ...(operation.method === "GET" ? [] : [CROSS_SITE.description]),
    ...(operation.reads ? [] : [READ_ONLY]),
  ];
  if (reasons.length > 0) responses[403] = { ...CROSS_SITE, description: reasons.join(". ") };
  return { ...responses, 401: UNAUTHORIZED, 503: NOT_CONFIGURED };
}
