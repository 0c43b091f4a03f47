// Every route of the contract. The app must have a handler for each of them, and for no other.
import * as z from "zod";
import { RESPONSE_ID } from "../openai/response.ts";
import {
  ExportQuery,
  HealthQuery,
  ListQuery,
  LoginQuery,
  OutputsQuery,
  RebuildQuery,
  RecordQuery,
  TriggerQuery,
  StatsQuery,
  WaitQuery,
} from "./queries.ts";
import type { SchemaName } from "./schemas.ts";

/** One answer of an operation. */
export type OperationResponse = {
  description: string;
  schema?: SchemaName;
  contentType?: string;
  /** Whether a `Retry-After` header may come with it. */
  retryAfter?: boolean;
  /** Whether an `X-Verdict` header comes with it, when there is a record. */
  verdict?: boolean;
};

/** What a route takes and answers. */
export type Operation = {
  summary: string;
  /** Whether the route needs no access token. */
  public?: boolean;
  /** Whether READ_TOKEN opens it, too. Without this it opens each GET and nothing else. */
  reads?: boolean;
  /** The parameters of its query; others are refused. */
  query?: z.ZodObject;
  /** Whether it ignores its query: an event must not be lost because of the URL under which somebody registered the webhook. */
  ignoresQuery?: boolean;
  headers?: z.ZodObject;
  body?: SchemaName;
  responses: Record<number, OperationResponse>;
};

const JSON_TYPE = "application/json";
const HTML = { description: "A page", contentType: "text/html" };
const NOT_FOUND = {
  description: "There is no such record, or the id is not valid",
  schema: "Error",
} as const;
const NOT_FINISHED = {
  description: "The response has not ended, or is not known",
  schema: "Error",
  retryAfter: true,
} as const;
const BAD_REQUEST = { description: "What is wrong, and what to do", schema: "Error" } as const;
const OPENAI_REFUSAL = {
  description: "OpenAI's refusal, with its words",
  schema: "Error",
} as const;
const ACCEPTED = { description: "It will be done", schema: "Accepted" } as const;
const REDIRECT = { description: "To the run's page, for a browser" };
const CROSS_SITE = { description: "The request came from another site", schema: "Error" } as const;

/** Parameters in paths. */
export const PATH_PARAMS = {
  id: z.string().regex(RESPONSE_ID).describe("The response's id"),
  file_id: z.string().describe("The file's id, from the record's `files`"),
  call_id: z.string().describe("The call's id, from the record's `calls`"),
  n: z.coerce.number().int().min(0).describe("Which image of the call, from 0"),
};

const IdempotencyHeaders = z.object({
  "Idempotency-Key": z
    .string()
    .min(1)
    .max(255)
    .describe("The same key gives the same answer for a day, and one run")
    .optional(),
});
const ResumeHeaders = z.object({
  "Last-Event-ID": z.coerce.number().int().min(0).describe("The last event seen").optional(),
});

/** By method and path, in the order in which a newcomer wants them. */
const OPERATIONS = {
  "POST /trigger": {
    summary:
      "Starts a background response. The body is Responses create parameters and the recorder's flags; without any, the example from the bug report runs",
    headers: IdempotencyHeaders,
    body: "Trigger",
    responses: {
      202: { description: "It runs, and is being recorded", schema: "Started" },
      303: REDIRECT,
      400: {
        description:
          "What is wrong, and what to do. `control_not_comparable`: a control can't run this request a second time",
        schema: "Error",
      },
      404: { description: "OpenAI knows no such model", schema: "Error" },
      409: {
        description: "The first request with this key has no answer yet, or may have started a run",
        schema: "Error",
      },
      413: BAD_REQUEST,
      422: {
        description: "The key came with another body before, or OpenAI's refusal",
        schema: "Error",
      },
      429: {
        description: "Too many triggers within a minute, or OpenAI's rate limit or its budget",
        schema: "Error",
        retryAfter: true,
      },
      502: {
        description: "OpenAI refuses the key, or it is not known whether it runs",
        schema: "Error",
      },
      503: {
        description:
          "A setting is missing, the idempotency key can't be used, or it runs and the recorder has not taken over",
        schema: "Error",
      },
    },
  },
  "GET /trigger": {
    summary: "The same as a form, empty or filled with the request of a run. It starts nothing",
    reads: false,
    query: TriggerQuery,
    responses: {
      200: HTML,
      400: BAD_REQUEST,
      404: {
        description: "The form, with the report's example: no run has this id",
        contentType: "text/html",
      },
    },
  },
  "GET /results": {
    summary: "The list, newest first. Filters can be combined",
    query: ListQuery,
    responses: {
      200: { description: "One page; HTML for a browser", schema: "List" },
      302: { description: "To the run's page, for a browser that searches for its id" },
      400: BAD_REQUEST,
    },
  },
  "GET /results/:id": {
    summary: "One record; `verdict` is `pending` while it is in flight",
    query: RecordQuery,
    responses: {
      200: { description: "The record; HTML for a browser", schema: "Record" },
      400: BAD_REQUEST,
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/outputs": {
    summary: "Only what the code printed, call after call",
    query: OutputsQuery,
    responses: {
      200: { description: "Text", contentType: "text/plain", verdict: true },
      404: {
        description:
          "`not_finished`: the response, or the control, has not ended. `not_stored`: there is no control, or its outputs were too large. `not_found`: there is no such record or call",
        schema: "Error",
        retryAfter: true,
        verdict: true,
      },
      409: {
        description:
          "`outputs_missing`: OpenAI returned no outputs though the code should have shown something, or the end was not seen; the message says what to do. `Retry-After` comes with it while observations are planned",
        schema: "Error",
        retryAfter: true,
        verdict: true,
      },
    },
  },
  "GET /results/:id/response": {
    summary: "The last terminal response object, as OpenAI sent it",
    responses: { 200: { description: "OpenAI's JSON", contentType: JSON_TYPE }, 404: NOT_FINISHED },
  },
  "GET /results/:id/events": {
    summary: "Follows a run: its history, then new events",
    headers: ResumeHeaders,
    responses: {
      200: {
        description: "Server-sent events: `step`, then `end`",
        contentType: "text/event-stream",
      },
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/files/:file_id": {
    summary: "A file that was copied from the container",
    responses: {
      200: { description: "Its bytes", contentType: "application/octet-stream" },
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/images/:call_id/:n": {
    summary: "An image: among a call's outputs, or generated",
    query: WaitQuery,
    responses: {
      200: { description: "Its bytes", contentType: "image/*" },
      400: BAD_REQUEST,
      404: NOT_FOUND,
    },
  },
  "POST /results/:id/refetch": {
    summary: "Observes a response now: in flight, after its end, or with an id never seen",
    responses: { 202: ACCEPTED, 303: REDIRECT, 404: NOT_FOUND },
  },
  "POST /results/:id/cancel": {
    summary: "Cancels a run in flight, and its control",
    responses: {
      202: ACCEPTED,
      303: REDIRECT,
      404: NOT_FOUND,
      400: OPENAI_REFUSAL,
      409: { description: "Both have ended already, or OpenAI's refusal", schema: "Error" },
      413: OPENAI_REFUSAL,
      422: OPENAI_REFUSAL,
      429: OPENAI_REFUSAL,
      502: BAD_REQUEST,
    },
  },
  "DELETE /results/:id": {
    summary: "Deletes the record, its files and its row in the list",
    responses: { 204: { description: "It is deleted" }, 404: NOT_FOUND, 503: BAD_REQUEST },
  },
  "POST /results/:id/delete": {
    summary: "The same from a form",
    responses: { 303: { description: "To the list" }, 404: NOT_FOUND, 503: BAD_REQUEST },
  },
  "GET /results.ndjson": {
    summary:
      'The export, page by page: a record a line, and `{"cursor"}` on the last. A page without that line is incomplete',
    query: ExportQuery,
    responses: {
      200: { description: "Lines of JSON", contentType: "application/x-ndjson" },
      400: BAD_REQUEST,
    },
  },
  "GET /stats": {
    summary: "Counts the runs of the last days: by day, verdict and model, with times and tokens",
    query: StatsQuery,
    responses: { 200: { description: "The statistics; HTML for a browser", schema: "Stats" } },
  },
  "POST /catalog/rebuild": {
    summary:
      "Lists the stored records again, page by page, when the list was lost: call it with the last answer's `cursor` until that is null",
    query: RebuildQuery,
    responses: { 200: { description: "What this page came to", schema: "RebuiltPage" } },
  },
  "POST /webhook": {
    summary: "OpenAI's webhook",
    public: true,
    ignoresQuery: true,
    body: "Webhook",
    responses: {
      200: { description: "Accepted, a duplicate, or not ours to act on", schema: "Received" },
      400: {
        description: "A signature, headers or a body that can't be accepted",
        schema: "Error",
      },
      413: BAD_REQUEST,
      503: {
        description: "Send it again: a setting is missing, or the recorder could not take it",
        schema: "Error",
      },
    },
  },
  "GET /health": {
    summary:
      "Which settings are in place; never their values. With `deep=1`, which needs a token, also whether they work",
    public: true,
    query: HealthQuery,
    responses: {
      200: { description: "All of them; HTML for a browser", schema: "Health" },
      401: { description: "`deep=1` without a token", schema: "Error" },
      503: {
        description: "A setting is missing or malformed, or a check failed",
        schema: "Health",
      },
    },
  },
  "GET /login": {
    summary: "The login",
    public: true,
    query: LoginQuery,
    responses: { 200: HTML },
  },
  "POST /login": {
    summary: "Logs a browser in",
    public: true,
    responses: {
      303: { description: "To the page that needed the login" },
      400: BAD_REQUEST,
      401: HTML,
      403: CROSS_SITE,
      413: BAD_REQUEST,
      429: {
        description: "Too many attempts from this address",
        schema: "Error",
        retryAfter: true,
      },
      503: { description: "No access token is configured", schema: "Error" },
    },
  },
  "POST /logout": {
    summary: "Logs it out",
    reads: true,
    responses: { 303: { description: "To the login" } },
  },
  "GET /": { summary: "The list", responses: { 302: { description: "To /results" } } },
  "GET /openapi.json": {
    summary: "This contract",
    responses: { 200: { description: "OpenAPI 3.1", contentType: JSON_TYPE } },
  },
  "GET /openapi": { summary: "This contract as a page", responses: { 200: HTML } },
} as const satisfies Record<string, Operation>;

/** `METHOD /path`. */
export type OperationName = keyof typeof OPERATIONS;

/** The operations that need no access token. */
export type PublicOperationName = {
  [Name in OperationName]: (typeof OPERATIONS)[Name] extends { public: true } ? Name : never;
}[OperationName];

/** Every operation with its method and its path. */
export function listOperations(): (Operation & {
  method: string;
  path: string;
  reads: boolean;
})[] {
  const operations: Record<string, Operation> = OPERATIONS;
  return Object.entries(operations).map(([name, operation]) => {
    const [method = "", path = ""] = name.split(" ");
    return { ...operation, method, path, reads: operation.reads ?? method === "GET" };
  });
}
