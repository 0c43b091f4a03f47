// Every route, as the outside sees it.
import * as z from "zod";
import { RESPONSE_ID } from "../openai/created-response.ts";
import { Query as ExportQuery } from "../http/routes/export.ts";
import { Query as ListQuery, Wait } from "../http/routes/results.ts";
import type { Shape } from "./schemas.ts";

export type Answer = {
  text: string;
  shape?: Shape;
  type?: string;
  /** True: a `Retry-After` can come with it. */
  again?: boolean;
};

export type Route = {
  method: "get" | "post" | "delete";
  path: string;
  text: string;
  /** True: without the access token. */
  open?: boolean;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: Shape;
  answers: Record<number, Answer>;
};

const JSON_TYPE = "application/json";
const HTML = { text: "A page", type: "text/html" };
const UNKNOWN = { text: "No record has this id, or it isn't one", shape: "Error" } as const;
const NOT_YET = { text: "The response has not ended, or nobody knows it", shape: "Error" } as const;
const REFUSED = { text: "What is wrong, and what to do", shape: "Error" } as const;
const ACCEPTED = { text: "It will be done", shape: "Accepted" } as const;
const LED_BACK = { text: "Back to the run's page, for a form" };
const CROSS_SITE = { text: "The request came from another site", shape: "Error" } as const;
const SIGNED_OUT = { text: "Back to the login" };

/** Parameters that stand in paths. */
export const IN_PATHS = {
  id: z.string().regex(RESPONSE_ID).describe("The response's id"),
  file_id: z.string().describe("The file's id, from the record's `files`"),
  call_id: z.string().describe("The call's id, from the record's `calls`"),
  n: z.coerce.number().int().min(0).describe("Which image of the call, from 0"),
};

const Waiting = z.object({ wait: Wait.describe("Seconds to wait until it is settled").optional() });
const Key = z.object({
  "Idempotency-Key": z
    .string()
    .min(1)
    .max(255)
    .describe("The same key gives the same answer for a day, and one run")
    .optional(),
});
const Resume = z.object({
  "Last-Event-ID": z.coerce.number().int().min(0).describe("The last event seen").optional(),
});

/** In the order in which a newcomer wants them. */
export const ROUTES: Route[] = [
  {
    method: "post",
    path: "/trigger",
    text: "Starts a background response. The body is Responses create parameters and the recorder's flags; without any, the report's example runs",
    headers: Key,
    body: "Trigger",
    answers: {
      202: { text: "It runs, and is being recorded", shape: "Started" },
      303: LED_BACK,
      400: REFUSED,
      404: { text: "OpenAI knows no such model", shape: "Error" },
      409: { text: "The first request with this key has no answer yet", shape: "Error" },
      413: REFUSED,
      422: { text: "This key came with another body before, or OpenAI's refusal", shape: "Error" },
      429: {
        text: "Too many triggers within a minute, or OpenAI's rate limit or its budget",
        shape: "Error",
        again: true,
      },
      502: { text: "OpenAI refuses the key, or it isn't known whether it runs", shape: "Error" },
      503: { text: "A setting is missing, or it runs and isn't handed over yet", shape: "Error" },
    },
  },
  { method: "get", path: "/trigger", text: "The same as a form", answers: { 200: HTML } },
  {
    method: "get",
    path: "/results",
    text: "The list, newest first. A filtered answer may be short and still have a cursor",
    query: ListQuery,
    answers: { 200: { text: "One page; as HTML for a browser", shape: "List" }, 400: REFUSED },
  },
  {
    method: "get",
    path: "/results/{id}",
    text: "One record; `verdict` is `pending` while it is in flight",
    query: Waiting,
    answers: {
      200: { text: "The record; as HTML for a browser", shape: "Record" },
      400: REFUSED,
      404: UNKNOWN,
    },
  },
  {
    method: "get",
    path: "/results/{id}/outputs",
    text: "Just what the code printed, call after call",
    answers: { 200: { text: "Text", type: "text/plain" }, 404: NOT_YET },
  },
  {
    method: "get",
    path: "/results/{id}/response",
    text: "The last terminal response object, as OpenAI sent it",
    answers: { 200: { text: "OpenAI's JSON", type: JSON_TYPE }, 404: NOT_YET },
  },
  {
    method: "get",
    path: "/results/{id}/events",
    text: "Follows a run: its history, then what happens",
    headers: Resume,
    answers: {
      200: { text: "Server-sent events: `step`, then `end`", type: "text/event-stream" },
      404: UNKNOWN,
    },
  },
  {
    method: "get",
    path: "/results/{id}/files/{file_id}",
    text: "A file that was copied from the container",
    answers: { 200: { text: "Its bytes", type: "application/octet-stream" }, 404: UNKNOWN },
  },
  {
    method: "get",
    path: "/results/{id}/images/{call_id}/{n}",
    text: "An image among a call's outputs",
    query: Waiting,
    answers: { 200: { text: "Its bytes", type: "image/*" }, 400: REFUSED, 404: UNKNOWN },
  },
  {
    method: "post",
    path: "/results/{id}/refetch",
    text: "Looks now: in flight, after the end, or at an id never seen",
    answers: { 202: ACCEPTED, 303: LED_BACK, 404: UNKNOWN },
  },
  {
    method: "post",
    path: "/results/{id}/cancel",
    text: "Cancels a run in flight",
    answers: {
      202: ACCEPTED,
      303: LED_BACK,
      404: UNKNOWN,
      409: { text: "It has ended already", shape: "Error" },
      502: REFUSED,
    },
  },
  {
    method: "delete",
    path: "/results/{id}",
    text: "Forgets the record, its files and its line in the list",
    answers: { 204: { text: "It is forgotten" }, 404: UNKNOWN, 503: REFUSED },
  },
  {
    method: "post",
    path: "/results/{id}/delete",
    text: "The same from a form",
    answers: { 303: { text: "Back to the list" }, 404: UNKNOWN, 503: REFUSED },
  },
  {
    method: "get",
    path: "/results.ndjson",
    text: 'The export, page by page: a record a line, and `{"cursor"}` on the last. A page without that line was cut off',
    query: ExportQuery,
    answers: { 200: { text: "Lines of JSON", type: "application/x-ndjson" }, 400: REFUSED },
  },
  {
    method: "post",
    path: "/webhook",
    text: "OpenAI's webhook",
    open: true,
    body: "Webhook",
    answers: {
      200: { text: "Accepted, known already, or not ours to act on", shape: "Received" },
      400: { text: "A signature, headers or a body that can't be accepted", shape: "Error" },
      413: REFUSED,
      503: {
        text: "Send it again: a setting is missing, or it was not handed over",
        shape: "Error",
      },
    },
  },
  {
    method: "get",
    path: "/health",
    text: "Which settings are in place; never their values",
    open: true,
    answers: {
      200: { text: "All of them", shape: "Health" },
      503: { text: "One is missing or malformed", shape: "Health" },
    },
  },
  { method: "get", path: "/login", text: "The login", open: true, answers: { 200: HTML } },
  {
    method: "post",
    path: "/login",
    text: "Logs a browser in",
    open: true,
    answers: {
      303: { text: "To where it came from" },
      400: REFUSED,
      401: HTML,
      403: CROSS_SITE,
      413: REFUSED,
      429: { text: "Too many tries from this address", shape: "Error", again: true },
      503: { text: "No access token is configured", shape: "Error" },
    },
  },
  { method: "post", path: "/logout", text: "Logs it out", answers: { 303: SIGNED_OUT } },
  {
    method: "get",
    path: "/",
    text: "The list",
    answers: { 302: { text: "To /results" } },
  },
  {
    method: "get",
    path: "/openapi.json",
    text: "This contract",
    answers: { 200: { text: "OpenAPI 3.1", type: JSON_TYPE } },
  },
  { method: "get", path: "/openapi", text: "This contract as a page", answers: { 200: HTML } },
];
