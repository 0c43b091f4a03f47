// Retrieves responses: OpenAI's answer while it has one, with what the record has more; a held run from its record.
import type { Context } from "hono";
import { toLostResponse } from "../../api/answers/lost-response.ts";
import { joinItems } from "../../api/answers/output-items.ts";
import { toRepresentation, type RecordRepresentation } from "../../api/answers/representation.ts";
import { toShownResponse } from "../../api/answers/shown-response.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { arrayElements, findMember, parseValue } from "../../lib/json-scan.ts";
import { findRun, readRunOutputs, type Found } from "../../objects/recorder/client.ts";
import { findCallItems } from "../../openai/call-items.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import { itemKind, RESULT_INCLUDES } from "../../record/calls/item-kinds.ts";
import { isTerminal } from "../../record/reducer.ts";
import { givenUpVerdict } from "../../record/verdict.ts";
import type { Channel, StoredRecord } from "../../record/schema.ts";
import { readOnly, type App } from "../middleware/auth.ts";
import { heldChanges, isInFlight } from "./ended-response.ts";
import { toOpenAIError, type OpenAIError } from "./errors.ts";
import { showProgress } from "./progress.ts";
import { forwardHidingOwnPair, withBody } from "./proxy.ts";
import { streamRecorded } from "./stream-run.ts";

/** The values that OpenAI accepts as `include`. */
const INCLUDE_VALUES = new Set([
  ...RESULT_INCLUDES,
  "web_search_call.results",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
]);

/** What a caller wants to see, and how OpenAI is asked for it. */
type Wanted = {
  include: ReadonlySet<string>;
  ask: () => Promise<Response | OpenAIError>;
};

/**
 * `GET /responses/:id`.
 * @throws Problem 403 for a caller who only reads, when the response is not recorded.
 */
export async function getResponse(c: Context<App>): Promise<Response | OpenAIError> {
  const ask = () => forwardHidingOwnPair(c);
  const found = await findRecorded(c);
  if (found === null) {
    if (c.get("access") === "all") return ask();
    throw readOnly("READ_TOKEN reads recorded runs, and this id has no record.");
  }
  const isStream = c.req.query("stream") === "true";
  const wanted = { include: includeOf(c), ask };
  // No Connection has, or had, its events.
  if (found.known.connection === null) return isStream ? ask() : showRun(c, found, wanted);
  const invalid = findInvalidInclude(c);
  if (invalid !== null) return invalid;
  return isStream ? streamRecorded(c, found.known, listIncludes(c)) : showRun(c, found, wanted);
}

/** The answer to a streamed create that was repeated: the run's events from the first one. */
export async function streamResponse(
  c: Context<App>,
  id: string,
  include: string[],
): Promise<Response | OpenAIError> {
  const found = await findRun(c.env, id);
  if (found === null || found.known.connection === null) return showResponse(c, id, include);
  return streamRecorded(c, found.known, include);
}

/** The answer to a create that was repeated: the response as it is now. */
export async function showResponse(
  c: Context<App>,
  id: string,
  include: string[],
): Promise<Response | OpenAIError> {
  const query = String(new URLSearchParams(include.map((value) => ["include[]", value])));
  const get = { path: `responses/${id}`, search: include.length === 0 ? "" : `?${query}` };
  const ask = () => forwardHidingOwnPair(c, { get });
  const found = await findRun(c.env, id);
  if (found === null) return ask();
  c.set("hold", found.known.held ? "held" : "background; repeated");
  return showRun(c, found, { include: new Set(include), ask });
}

/** The recorded run that a path names; null when there is none. */
export async function findRecorded(c: Context<App>): Promise<Found | null> {
  const id = c.req.param("id") ?? "";
  return RESPONSE_ID.test(id) ? findRun(c.env, id) : null;
}

/** Shows a recorded run. */
export async function showRun(
  c: Context<App>,
  found: Found,
  { include, ask }: Wanted,
): Promise<Response | OpenAIError> {
  const { known } = found;
  if (givenUpVerdict(known) !== null) return showGivenUp(c, found, { include, ask });
  if (known.connection !== null && isInFlight(known)) {
    return (await showProgress(c, known, include)) ?? ask();
  }
  const recorded = known.held ? await showRecorded(c, found, include) : null;
  if (recorded !== null) return recorded;
  // Of a held run only OpenAI may have a response that was too large to be stored, or never seen.
  const answer = await ask();
  if (!(answer instanceof Response)) return answer;
  if (answer.ok) return known.held ? answer : withRecorded(c, found, answer, include);
  if (answer.status !== 404 && answer.status !== 410) return answer;
  const kept = (await showRecorded(c, found, include)) ?? (await showLost(c, found, include));
  if (kept === null) return answer;
  await answer.body?.cancel();
  return kept;
}

// Its end may have come since. Without one, clients would not stop polling.
async function showGivenUp(
  c: Context<App>,
  found: Found,
  { include, ask }: Wanted,
): Promise<Response | OpenAIError> {
  const answer = await ask();
  if (!(answer instanceof Response)) return answer;
  if (answer.ok && isJson(answer)) {
    const response = await answer.bytes();
    if (isEnd(response)) return withBody(answer, streamChunks([response]));
  } else await answer.body?.cancel();
  return (await showLost(c, found, include)) ?? answer;
}

function isJson({ headers }: Response): boolean {
  return headers.get("content-type")?.includes("json") === true;
}

function isEnd(response: Uint8Array): boolean {
  const status = parseValue(findMember(response, "status"));
  return typeof status === "string" && isTerminal(status);
}

// Null before the end, and where no body is stored.
async function showRecorded(
  c: Context<App>,
  found: Found,
  include: ReadonlySet<string>,
): Promise<Response | null> {
  const { known } = found;
  if (isInFlight(known)) return null;
  const { response, items } = await represent(c.env, found);
  if (response === null) return null;
  const changes = known.held ? heldChanges(known, response) : {};
  return respond(c, toShownResponse(response, { items, include, changes }));
}

// What is left of a run whose end was never seen, when OpenAI does not have it any more.
async function showLost(
  c: Context<App>,
  found: Found,
  include: ReadonlySet<string>,
): Promise<Response | null> {
  const { known } = found;
  if (isInFlight(known) || known.verdict === "not_found") return null;
  const { items } = await represent(c.env, found);
  const response = new TextEncoder().encode(JSON.stringify(toLostResponse(known)));
  return respond(c, toShownResponse(response, { items, include }));
}

// OpenAI's answer, with the outputs that it lost.
async function withRecorded(
  c: Context<App>,
  found: Found,
  answer: Response,
  include: ReadonlySet<string>,
): Promise<Response> {
  const { known } = found;
  if (isInFlight(known) || !hasMore(known, include) || !isJson(answer)) return answer;
  const response = await answer.bytes();
  const output = findMember(response, "output");
  if (!isEnd(response) || !lacksRecorded(known, output, include)) {
    return withBody(answer, streamChunks([response]));
  }
  const { items } = await represent(c.env, found);
  const joined = joinItems(arrayElements(output), items);
  const shown = toShownResponse(response, { items: joined, include });
  return withBody(answer, streamChunks(shown));
}

// Whether OpenAI's answer can lack something that the caller asked for.
function hasMore({ calls, partial_from }: StoredRecord, include: ReadonlySet<string>): boolean {
  return partial_from !== null || calls.some((call) => isShown(call, include));
}

function lacksRecorded(
  { calls, partial_from }: StoredRecord,
  output: Uint8Array | undefined,
  include: ReadonlySet<string>,
): boolean {
  if (partial_from !== null) return true;
  const populated = findCallItems(output).filter((item) => item.isPopulated);
  const ids = new Set(populated.map(({ id }) => id));
  return calls.some((call) => isShown(call, include) && !ids.has(call.id));
}

function isShown(
  { type, state }: StoredRecord["calls"][number],
  include: ReadonlySet<string>,
): boolean {
  const asked = itemKind(type)?.include ?? null;
  return state === "populated" && (asked === null || include.has(asked));
}

async function represent(env: Env, { known, openBody }: Found): Promise<RecordRepresentation> {
  const readOutputs = (channel: Channel) => readRunOutputs(env, known.id, channel);
  return toRepresentation(known, await openBody(), readOutputs);
}

function respond(c: Context<App>, chunks: Uint8Array[]): Response {
  return c.body(streamChunks(chunks), 200, { "content-type": "application/json" });
}

function listIncludes(c: Context<App>): string[] {
  const params = [...new URL(c.req.url).searchParams];
  return params.flatMap(([name, value]) => (/^include(\[\d*\])?$/.test(name) ? [value] : []));
}

function includeOf(c: Context<App>): ReadonlySet<string> {
  return new Set(listIncludes(c));
}

function findInvalidInclude(c: Context<App>): OpenAIError | null {
  const values = listIncludes(c);
  const index = values.findIndex((value) => !INCLUDE_VALUES.has(value));
  if (index === -1) return null;
  const supported = [...INCLUDE_VALUES].map((value) => `'${value}'`).join(", ");
  const message = `Invalid value: '${values[index]}'. Supported values are: ${supported}.`;
  return toOpenAIError(400, message, { param: `include[${index}]`, code: "invalid_value" });
}
