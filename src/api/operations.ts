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
import {
  ACCEPTED,
  BAD_CURSOR,
  CROSS_SITE,
  HTML,
  JSON_TYPE,
  NOT_FINISHED,
  NOT_FOUND,
  OPENAI_REFUSAL,
  REDIRECT,
  TOO_LARGE,
  type OperationResponse,
} from "./responses.ts";
import type { SchemaName } from "./schemas.ts";

/** What a route takes and answers. */
export type Operation = {
  /** Its name in generated clients: unique, and never changed. */
  id: string;
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
    id: "startRun",
    summary:
      "Starts a background response. The body is Responses create parameters and the recorder's flags; without any, the example from the bug report runs",
    headers: IdempotencyHeaders,
    body: "Trigger",
    responses: {
      202: { description: "It runs, and is being recorded", schema: "Started", location: true },
      303: REDIRECT,
      400: {
        description:
          "`bad_json`, `bad_request`: the body can't be used; or OpenAI's refusal. `control_not_comparable`: a control can't run this request a second time",
        schema: "Error",
      },
      404: { description: "OpenAI knows no such model", schema: "Error" },
      409: {
        description: "The first request with this key has no answer yet, or may have started a run",
        schema: "Error",
      },
      413: TOO_LARGE,
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
    id: "getTriggerForm",
    summary: "The same as a form, empty or filled with the request of a run. It starts nothing",
    reads: false,
    query: TriggerQuery,
    responses: {
      200: HTML,
      404: {
        description: "The form, with the report's example: no run has this id",
        contentType: "text/html",
      },
    },
  },
  "GET /results": {
    id: "listRuns",
    summary: "The list, newest first. Filters can be combined",
    query: ListQuery,
    responses: {
      200: { description: "One page", schema: "List", html: true },
      302: {
        description: "To the run's page, for a browser that searches for its id",
        location: true,
      },
      400: BAD_CURSOR,
    },
  },
  "GET /results/:id": {
    id: "getRun",
    summary: "One record; `verdict` is `pending` while it is in flight",
    query: RecordQuery,
    responses: {
      200: { description: "The record", schema: "Record", html: true },
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/outputs": {
    id: "getOutputs",
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
    id: "getResponse",
    summary: "The last terminal response object, as OpenAI sent it",
    responses: { 200: { description: "OpenAI's JSON", contentType: JSON_TYPE }, 404: NOT_FINISHED },
  },
  "GET /results/:id/events": {
    id: "followRun",
    summary: "Follows a run: its history, then new events",
    headers: ResumeHeaders,
    responses: {
      200: {
        description:
          "Server-sent events: `step`, whose data has this shape, then `end`, whose data is `{}`",
        schema: "RunStep",
        contentType: "text/event-stream",
      },
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/files/:file_id": {
    id: "getFile",
    summary: "A file that was copied from the container",
    responses: {
      200: { description: "Its bytes", contentType: "application/octet-stream" },
      404: NOT_FOUND,
    },
  },
  "GET /results/:id/images/:call_id/:n": {
    id: "getImage",
    summary: "An image: among a call's outputs, or generated",
    query: WaitQuery,
    responses: {
      200: { description: "Its bytes", contentType: "image/*" },
      404: NOT_FOUND,
    },
  },
  "POST /results/:id/refetch": {
    id: "refetchRun",
    summary: "Observes a response now: in flight, after its end, or with an id never seen",
    responses: { 202: ACCEPTED, 303: REDIRECT, 404: NOT_FOUND },
  },
  "POST /results/:id/cancel": {
    id: "cancelRun",
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
      502: {
        description:
          "`openai_unauthorized`, `openai_unreachable`: OpenAI refuses the key, or gave no answer",
        schema: "Error",
      },
    },
  },
  "DELETE /results/:id": {
    id: "deleteRun",
    summary: "Deletes the record, its files and its row in the list",
    responses: { 204: { description: "It is deleted" }, 404: NOT_FOUND },
  },
  "POST /results/:id/delete": {
    id: "deleteRunByForm",
    summary: "The same from a form",
    responses: { 303: { description: "To the list", location: true }, 404: NOT_FOUND },
  },
  "GET /results.ndjson": {
    id: "exportRuns",
    summary:
      'The export, page by page: a record a line, and `{"cursor"}` on the last. A page without that line is incomplete',
    query: ExportQuery,
    responses: {
      200: {
        description: "Lines of JSON",
        schema: ["Record", "Unreadable", "Cursor"],
        contentType: "application/x-ndjson",
      },
      400: BAD_CURSOR,
    },
  },
  "GET /stats": {
    id: "getStats",
    summary: "Counts the runs of the last days: by day, verdict and model, with times and tokens",
    query: StatsQuery,
    responses: { 200: { description: "The statistics", schema: "Stats", html: true } },
  },
  "POST /catalog/rebuild": {
    id: "rebuildCatalog",
    summary:
      "Lists the stored records again, page by page, when the list was lost: call it with the last answer's `cursor` until that is null",
    query: RebuildQuery,
    responses: {
      200: { description: "What this page came to", schema: "RebuiltPage" },
      400: BAD_CURSOR,
    },
  },
  "POST /webhook": {
    id: "receiveWebhook",
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
      413: TOO_LARGE,
      503: {
        description: "Send it again: a setting is missing, or the recorder could not take it",
        schema: "Error",
      },
    },
  },
  "GET /health": {
    id: "getHealth",
    summary:
      "Which settings are in place; never their values. With `deep=1`, which needs a token, also whether they work",
    public: true,
    query: HealthQuery,
    responses: {
      200: { description: "All of them", schema: "Health", html: true },
      401: { description: "`deep=1` without a token", schema: "Error" },
      503: {
        description: "A setting is missing or malformed, or a check failed",
        schema: "Health",
      },
    },
  },
  "GET /login": {
    id: "getLoginForm",
    summary: "The login",
    public: true,
    query: LoginQuery,
    responses: { 200: HTML },
  },
  "POST /login": {
    id: "logIn",
    summary: "Logs a browser in",
    public: true,
    responses: {
      303: { description: "To the page that needed the login", location: true },
      400: { description: "`bad_request`: the body is not a form", schema: "Error" },
      401: { ...HTML, description: "The login again: the token is wrong" },
      403: CROSS_SITE,
      413: TOO_LARGE,
      429: {
        description: "Too many attempts from this address",
        schema: "Error",
        retryAfter: true,
      },
      503: { description: "No access token is configured", schema: "Error" },
    },
  },
  "POST /logout": {
    id: "logOut",
    summary: "Logs it out",
    reads: true,
    responses: { 303: { description: "To the login", location: true } },
  },
  "GET /": {
    id: "redirectToRuns",
    summary: "The list",
    responses: { 302: { description: "To /results", location: true } },
  },
  "GET /openapi.json": {
    id: "getContract",
    summary: "This contract",
    responses: { 200: { description: "OpenAPI 3.1", contentType: JSON_TYPE } },
  },
  "GET /openapi": {
    id: "getReference",
    summary: "This contract as a page",
    responses: { 200: HTML },
  },
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
