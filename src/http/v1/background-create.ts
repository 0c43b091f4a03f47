// Creates a background run, and hands it over to its Recorder.
import type { Context } from "hono";
import { parseInclude, toRequestBody, withOwnPair } from "../../api/create-params.ts";
import type { JsonBody } from "../../api/json-body.ts";
import { Problem } from "../../errors.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { withLog } from "../../log.ts";
import { handOver } from "../../objects/hand-over.ts";
import { pickAnswerHeaders } from "../../openai/answer-headers.ts";
import { toApiFailure } from "../../openai/api-failure.ts";
import { createResponse } from "../../openai/client.ts";
import { readCreatedResponse, UnusableResponse } from "../../openai/created-response.ts";
import { toCreatedFields } from "../../openai/response.ts";
import type { StartParams } from "../../record/connection/state.ts";
import { withoutOwnPair } from "../../record/request/metadata.ts";
import { mayHaveStarted, WEBHOOK_WILL_RECORD } from "../create-failure.ts";
import type { App } from "../middleware/auth.ts";
import { fromRefusal } from "./errors.ts";
import { Params, toOptions, toStart, type Created } from "./held-create.ts";
import { callerHeaders } from "./proxy.ts";

/**
 * Starts a background run.
 * @param given The body of a create with `background: true`.
 * @throws Problem 502 `may_have_started`, 503 `handover_failed`.
 */
export async function createBackground(
  c: Context<App>,
  { json, value }: JsonBody,
): Promise<Created> {
  const sent = Params.parse(value);
  const include = parseInclude(sent);
  const options = toOptions(sent["include"], false);
  const metadata = withOwnPair(sent["metadata"], options);
  const request = {
    ...sent,
    ...(include === null ? {} : { include }),
    ...(metadata === null ? {} : { metadata }),
  };
  const body = toRequestBody(json, sent, request);
  const start = toStart(c, options, request, json.byteLength);
  return withLog("trigger", { by: "v1" }, () => create(c, body, start), describe);
}

function describe(created: Created): { id: string | null; outcome: string } {
  if (created.kind === "refused") return { id: null, outcome: "refused" };
  return { id: created.id, outcome: created.status };
}

async function create(c: Context<App>, body: Uint8Array[], start: StartParams): Promise<Created> {
  const bytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const request = { stream: streamChunks(body), bytes };
  try {
    const { answer, headers } = await createResponse(c.env, request, callerHeaders(c));
    return await recordCreated(c.env, start, answer, headers);
  } catch (error) {
    const failure = toApiFailure(error);
    const { status } = failure;
    if (status !== null) return { kind: "refused", answer: fromRefusal({ ...failure, status }) };
    throw toCreateProblem(error);
  }
}

/**
 * Starts the Recorder of a background run.
 * @param answer OpenAI's answer to the create, parsed.
 * @throws UnusableResponse when it can't be recorded; Problem 503 `handover_failed`.
 */
export async function recordCreated(
  env: Env,
  start: StartParams,
  answer: unknown,
  headers: Headers,
): Promise<Created> {
  const created = readCreatedResponse(answer);
  const { id, status } = created;
  await handOver(env, { ...start, id, connection: null, created: toCreatedFields(created) });
  const response = Params.parse(answer);
  const metadata = withoutOwnPair(response["metadata"]);
  return {
    kind: "created",
    id,
    status,
    response: { ...response, metadata },
    headers: pickAnswerHeaders(headers),
    connection: null,
  };
}

/** The failure of a create that OpenAI did not answer, or not with a response that can be recorded; a Problem stays as it is. */
export function toCreateProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { message, requestId } = toApiFailure(error);
  const id = error instanceof UnusableResponse ? error.id : null;
  return mayHaveStarted(message, WEBHOOK_WILL_RECORD, { requestId, id });
}
