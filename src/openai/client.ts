// The client, and what is asked of OpenAI.
import OpenAI, { APIError } from "openai";
import { version } from "../../package.json";
import { OPENAI_API_KEY, OPENAI_BASE_URL, setting } from "../config.ts";

/** What GET accepts of a creation's `include`; `reasoning.encrypted_content` is a 400 there. */
const ASKABLE = new Set([
  "code_interpreter_call.outputs",
  "file_search_call.results",
  "web_search_call.action.sources",
  "message.output_text.logprobs",
]);

/** The value that this program exists for. */
export const OUTPUTS = "code_interpreter_call.outputs";

/** The request of the bug report: https://community.openai.com/t/1372536 */
export const EXAMPLE = {
  input: "Use the code interpreter tool. Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter", container: { type: "auto", memory_limit: "4g" } }],
  include: [OUTPUTS],
  reasoning: { effort: "low" },
};

/**
 * The client for OpenAI's API. It never tries again by itself: a POST that is sent again is billed again
 * (there is no idempotency key), and every GET is a look that has to be seen.
 * @param env The Worker's environment.
 */
export function client(env: Env): OpenAI {
  return new OpenAI({
    apiKey: setting(env, OPENAI_API_KEY),
    baseURL: setting(env, OPENAI_BASE_URL),
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: 60_000,
    // The SDK would say its class's name, which the build makes short.
    defaultHeaders: { "User-Agent": `response-recorder/${version}` },
  });
}

/**
 * Starts a response.
 * @param env The Worker's environment.
 * @param body Responses create parameters, sent as they are.
 * @throws What the SDK throws; nothing is tried twice.
 */
export async function create(env: Env, body: Record<string, unknown>): Promise<unknown> {
  return client(env).post<unknown>("/responses", { body });
}

/**
 * Fetches a response, unread.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param include What the caller asked to have included; what GET doesn't take is left out.
 * @param signal Ends the wait, also while the body is read.
 */
export async function retrieve(
  env: Env,
  id: string,
  include: string[],
  signal: AbortSignal,
): Promise<Response> {
  const query = { include: askable(include) };
  return client(env)
    .get(`/responses/${encodeURIComponent(id)}`, { query, signal })
    .asResponse();
}

/**
 * Starts a response whose events are streamed.
 * @param env The Worker's environment.
 * @param body Responses create parameters.
 * @param signal Ends the connection.
 */
export function createStreamed(
  env: Env,
  body: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Response> {
  const options = { body, stream: true, ...(signal === undefined ? {} : { signal }) };
  return client(env).post("/responses", options).asResponse();
}

/**
 * Replays the events of a response that was created with `background` and `stream`.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param include What the caller asked to have included.
 * @param signal Ends the replay: one that isn't allowed may hang.
 */
export function replayEvents(
  env: Env,
  id: string,
  include: string[],
  signal: AbortSignal,
): Promise<Response> {
  const query = { include: askable(include), stream: true };
  const path = `/responses/${encodeURIComponent(id)}`;
  return client(env).get(path, { query, stream: true, signal }).asResponse();
}

/**
 * A page of a conversation's items, newest first.
 * @param env The Worker's environment.
 * @param id The conversation's id.
 * @param include What the caller asked to have included.
 * @param after The last id of the page before.
 * @param signal Ends the wait.
 */
export async function conversationPage(
  env: Env,
  id: string,
  include: string[],
  after: string | undefined,
  signal: AbortSignal,
): Promise<{ requestId: string | null; page: unknown }> {
  const query = {
    include: askable(include),
    limit: 20,
    order: "desc",
    ...(after === undefined ? {} : { after }),
  };
  const path = `/conversations/${encodeURIComponent(id)}/items`;
  const { data, request_id } = await client(env)
    .get<unknown>(path, { query, signal })
    .withResponse();
  return { requestId: request_id, page: data };
}

/**
 * Asks for something below `/containers`.
 * @param env The Worker's environment.
 * @param path What, without the leading `/containers/`; its parts are encoded here.
 * @param query The query.
 */
export function container(
  env: Env,
  path: string[],
  query: Record<string, string | number> = {},
): Promise<Response> {
  const encoded = path.map(encodeURIComponent).join("/");
  return client(env).get(`/containers/${encoded}`, { query }).asResponse();
}

/**
 * Cancels a background response.
 * @param env The Worker's environment.
 * @param id The response's id.
 */
export async function cancel(env: Env, id: string): Promise<void> {
  await client(env)
    .post(`/responses/${encodeURIComponent(id)}/cancel`)
    .asResponse();
}

/**
 * What to ask for when a response is fetched: its outputs, and what the trigger asked for besides.
 * @param include The creation's values.
 */
export function askable(include: string[]): string[] {
  return [...new Set([OUTPUTS, ...include])].filter((value) => ASKABLE.has(value));
}

/**
 * The message of one of the SDK's errors as OpenAI wrote it: the SDK puts the status in front.
 * @param error What was thrown.
 */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof APIError ? message.replace(/^\d{3} /, "") : message;
}
