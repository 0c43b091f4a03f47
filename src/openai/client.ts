// The client, and every request to OpenAI.
import OpenAI from "openai";
import { version } from "../../package.json";
import { OPENAI_API_KEY, OPENAI_BASE_URL, setting } from "../config.ts";
import { RESULT_INCLUDES, resultIncludes } from "../record/calls/item-kinds.ts";

/** The values of a create's `include` that GET accepts. `reasoning.encrypted_content` is a 400 there. */
const RETRIEVE_INCLUDE: ReadonlySet<string> = new Set([
  ...RESULT_INCLUDES,
  "message.output_text.logprobs",
]);

/** The request of the bug report: https://community.openai.com/t/1372536 */
export const EXAMPLE_REQUEST = {
  input: "Use the code interpreter tool. Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter", container: { type: "auto", memory_limit: "4g" } }],
  include: resultIncludes(["code_interpreter"]),
  reasoning: { effort: "low" },
};

/**
 * The client for OpenAI's API. It never retries: a POST that is sent again is billed again, because OpenAI has no idempotency key,
 * and every GET is an observation that the record must show.
 */
function createClient(env: Env): OpenAI {
  return new OpenAI({
    apiKey: setting(env, OPENAI_API_KEY),
    baseURL: setting(env, OPENAI_BASE_URL),
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: 60_000,
    // The key must not go to where a redirect leads.
    fetchOptions: { redirect: "manual" },
    // The SDK would send the name of its class, which the build minifies.
    defaultHeaders: { "User-Agent": `response-recorder/${version}` },
  });
}

/** Bytes of JSON to be sent, and their number. A stream of unknown length would be sent in chunks. */
export type RequestBody = { stream: ReadableStream<Uint8Array>; bytes: number };

/** Headers of a caller's that go along with a create, in place of the client's own. */
export type CallerHeaders = Record<string, string>;

/**
 * Starts a response.
 * @param body Responses create parameters as JSON, sent as they are.
 * @returns The parsed answer, and its headers.
 * @throws What the SDK throws.
 */
export async function createResponse(
  env: Env,
  body: RequestBody,
  headers: CallerHeaders = {},
): Promise<{ answer: unknown; headers: Headers }> {
  const request = createClient(env).post<unknown>("/responses", toJsonRequest(body, headers));
  const { data, response } = await request.withResponse();
  return { answer: data, headers: response.headers };
}

/**
 * Fetches a response; its body is unread.
 * @param include Values of `include`; those that GET refuses are left out.
 * @param signal Ends the request, also while the body is read.
 */
export async function retrieveResponse(
  env: Env,
  id: string,
  include: string[],
  signal: AbortSignal,
): Promise<Response> {
  const query = { include: toRetrieveInclude(include) };
  return createClient(env).get(responsePath(id), { query, signal }).asResponse();
}

/**
 * Starts a response whose events are streamed.
 * @param body Responses create parameters as JSON, sent as they are.
 * @param signal Closes the connection.
 */
export function createResponseStream(
  env: Env,
  body: RequestBody,
  signal: AbortSignal,
  headers: CallerHeaders = {},
): Promise<Response> {
  const options = { ...toJsonRequest(body, headers), stream: true, signal };
  return createClient(env).post("/responses", options).asResponse();
}

function toJsonRequest({ stream, bytes }: RequestBody, headers: CallerHeaders) {
  const body = stream.pipeThrough(new FixedLengthStream(bytes));
  return { body, headers: { ...headers, "content-type": "application/json" } };
}

/**
 * Replays the events of a response that was created with `background` and `stream`.
 * @param include Values of `include`; those that GET refuses are left out.
 * @param signal Ends the replay: OpenAI may leave one that it does not allow hanging.
 * @param after The `sequence_number` of the last event that is known; undefined for all events.
 */
export function replayEventStream(
  env: Env,
  id: string,
  include: string[],
  signal: AbortSignal,
  after?: number,
): Promise<Response> {
  const from = after === undefined ? {} : { starting_after: after };
  const query = { include: toRetrieveInclude(include), stream: true, ...from };
  return createClient(env).get(responsePath(id), { query, stream: true, signal }).asResponse();
}

/**
 * Fetches a page of 20 items of a conversation, newest first.
 * @param id The conversation's id.
 * @param include Values of `include`; those that GET refuses are left out.
 * @param after The last item id of the page before.
 */
export async function listConversationItems(
  env: Env,
  id: string,
  include: string[],
  after: string | undefined,
  signal: AbortSignal,
): Promise<{ requestId: string | null; page: unknown }> {
  const query = {
    include: toRetrieveInclude(include),
    limit: 20,
    order: "desc",
    ...(after === undefined ? {} : { after }),
  };
  const path = `/conversations/${encodeURIComponent(id)}/items`;
  const { data, request_id } = await createClient(env)
    .get<unknown>(path, { query, signal })
    .withResponse();
  return { requestId: request_id, page: data };
}

/** Fetches the last 20 items of a response's input, newest first; the answer's body is unread. */
export async function listInputItems(env: Env, id: string, signal: AbortSignal): Promise<Response> {
  const query = { limit: 20, order: "desc" };
  const path = `${responsePath(id)}/input_items`;
  return createClient(env).get(path, { query, signal }).asResponse();
}

/**
 * Fetches something below `/containers`.
 * @param path The path segments, not encoded.
 * @param signal Ends the request, also while the body is read.
 */
export function fetchContainer(
  env: Env,
  path: string[],
  signal: AbortSignal,
  query: Record<string, string | number> = {},
): Promise<Response> {
  const encoded = path.map(encodeURIComponent).join("/");
  return createClient(env).get(`/containers/${encoded}`, { query, signal }).asResponse();
}

/** Cancels a background response. */
export async function cancelResponse(env: Env, id: string): Promise<void> {
  await createClient(env)
    .post(`${responsePath(id)}/cancel`)
    .asResponse();
}

/** Those of a create's `include` values that GET accepts. */
export function toRetrieveInclude(include: readonly string[]): string[] {
  return include.filter((value) => RETRIEVE_INCLUDE.has(value));
}

function responsePath(id: string): string {
  return `/responses/${encodeURIComponent(id)}`;
}
