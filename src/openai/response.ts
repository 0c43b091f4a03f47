// Parses response objects. Real bodies carry fields that no document names, so only what is needed is checked.
import * as z from "zod";
import { exceedsDepth, parseJson } from "../lib/json-parse.ts";
import { toCustomMetadata } from "../record/request/metadata.ts";
import { CODE_INTERPRETER, toResultState } from "../record/calls/item-kinds.ts";
import {
  MAX_ERROR_CODE_LENGTH,
  MAX_ERROR_MESSAGE_LENGTH,
  MAX_FILENAME_LENGTH,
  MAX_RETENTION_DAYS,
  MAX_UPSTREAM_DEPTH,
} from "../record/limits.ts";
import {
  METADATA_KEY,
  type Citations,
  type FileCitation,
  type ObservedCall,
  type RecorderParams,
  type ResponseFields,
  type TokenUsage,
  type TriggerOptions,
} from "../record/schema.ts";
import { toolTypes } from "../record/request/tools.ts";
import { isCallItem, locateCalls, type LocatedCall } from "./call-items.ts";

/** A response id. OpenAI's have about 55 characters and begin with `resp_`, those of gateways about 200. */
export const RESPONSE_ID = /^(?!\.{1,2}$)[A-Za-z0-9_.=-]{1,300}$/;
/** The id of something else of OpenAI's that becomes a part of a URL. */
const OPENAI_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** Times beyond these are no times of a response: some send milliseconds. Seconds since 1970. */
const MAX_TIME_SECONDS = Date.parse("9999-12-31") / 1000;

/** Characters of code and other requests that the record keeps of all calls together; the response's body has all of it. */
const MAX_REQUESTS_LENGTH = 128 * 1024;
/** Characters of a status and of a model's name that the record keeps. */
export const MAX_STATUS_LENGTH = 64;
const MAX_MODEL_LENGTH = 128;
/** Citations and containers that the record keeps. */
const MAX_REFERENCES = 200;

/** More tokens than any response has: the sum over all runs must be a number that SQLite can have. */
const MAX_TOKENS = 1_000_000_000;

const nullable = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? null)
    .catch(null);

/** A text that lists show, and that has no business to be longer. */
export const shortText = (maxLength: number) =>
  z.string().transform((value) => value.slice(0, maxLength));

const Output = z.looseObject({ output: z.array(z.unknown()).catch([]) });

const tokenCount = z.int().min(0).max(MAX_TOKENS);
const optionalCount = tokenCount.catch(0);

const Usage = z.looseObject({
  input_tokens: optionalCount,
  input_tokens_details: z.looseObject({ cached_tokens: optionalCount }).catch({ cached_tokens: 0 }),
  output_tokens: tokenCount,
  output_tokens_details: z
    .looseObject({ reasoning_tokens: optionalCount })
    .catch({ reasoning_tokens: 0 }),
  total_tokens: optionalCount,
});

const ResponseObject = Output.extend({
  id: z.string(),
  status: shortText(MAX_STATUS_LENGTH),
  model: nullable(shortText(MAX_MODEL_LENGTH)),
  background: nullable(z.boolean()),
  store: nullable(z.boolean()),
  created_at: nullable(z.number()),
  completed_at: nullable(z.number()),
  metadata: nullable(z.record(z.string(), z.unknown())),
  tools: nullable(z.array(z.unknown())),
  error: nullable(
    z.looseObject({
      code: z
        .union([shortText(MAX_ERROR_CODE_LENGTH), z.number().transform(String)])
        .catch("error"),
      message: shortText(MAX_ERROR_MESSAGE_LENGTH).catch(""),
    }),
  ),
  conversation: nullable(z.union([z.string(), z.looseObject({ id: z.string() })])),
  usage: nullable(Usage),
});

/** The first answer to a create. */
export const CreatedResponse = z.looseObject({
  id: z.string().regex(RESPONSE_ID),
  status: shortText(MAX_STATUS_LENGTH),
  model: nullable(shortText(MAX_MODEL_LENGTH)),
  background: nullable(z.boolean()),
  store: nullable(z.boolean()),
  created_at: nullable(z.number()),
});
export type CreatedResponse = z.infer<typeof CreatedResponse>;

const OptionsValue = z.object({
  include: z.array(z.string()).catch([]),
  stream: z.boolean().catch(false),
  control: z.boolean().catch(false),
  hold: z.boolean().catch(false),
  retention_days: z.int().min(1).max(MAX_RETENTION_DAYS).nullable().catch(null),
});

const Message = z.looseObject({
  type: z.literal("message"),
  content: z.array(z.looseObject({ annotations: z.array(z.unknown()).catch([]) })).catch([]),
});

const Typed = z.looseObject({ type: z.string() });

const CitationAnnotation = z.looseObject({
  type: z.literal("container_file_citation"),
  container_id: z.string(),
  file_id: z.string(),
  filename: shortText(MAX_FILENAME_LENGTH).catch(""),
});

/** A response object's fields, and what it shows of its calls. */
export type ParsedResponse = { fields: ResponseFields; calls: ObservedCall[] };

/**
 * Parses a response object.
 * @param value Parsed JSON.
 * @returns Null when it is no response object.
 */
export function parseResponse(value: unknown): ParsedResponse | null {
  const parsed = ResponseObject.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  const calls = parseCalls(data.output);
  const cited_files = findCitations(data.output);
  const fields: ResponseFields = {
    status: data.status,
    model: data.model,
    background: data.background,
    store: data.store,
    created_at: toIsoTime(data.created_at),
    completed_at: toIsoTime(data.completed_at),
    options: parseOptions(data.metadata),
    metadata: toCustomMetadata(data.metadata),
    error: data.error === null ? null : { code: data.error.code, message: data.error.message },
    conversation: toOpenAIId(
      typeof data.conversation === "string" ? data.conversation : (data.conversation?.id ?? null),
    ),
    containers: findContainers(calls, cited_files),
    cited_files,
    tools: data.tools === null ? null : toolTypes(data.tools),
    cites: findCitedKinds(data.output),
    usage: data.usage === null ? null : toTokenUsage(data.usage),
    // Reasoning is an item as well.
    lacks_items: data.output.length === 0 && (data.usage?.output_tokens ?? 0) > 0,
  };
  return { fields, calls };
}

// A gateway may leave out the total.
function toTokenUsage(usage: z.infer<typeof Usage>): TokenUsage {
  const { input_tokens: input, output_tokens: output } = usage;
  return {
    input,
    cached: usage.input_tokens_details.cached_tokens,
    output,
    reasoning: usage.output_tokens_details.reasoning_tokens,
    total: usage.total_tokens || input + output,
  };
}

/**
 * The fields of a new response that a Recorder starts with.
 * @param response The first answer to a create.
 */
export function toCreatedFields(response: CreatedResponse): NonNullable<RecorderParams["created"]> {
  return {
    status: response.status,
    model: response.model,
    background: response.background,
    store: response.store,
    created_at: toIsoTime(response.created_at) ?? new Date().toISOString(),
  };
}

/**
 * The output items of a response object; none when it has no list of them.
 * @throws ZodError when it is no object.
 */
export function outputItems(response: unknown): unknown[] {
  return Output.parse(response).output;
}

/**
 * What output items show of their calls, in their order. One that is listed twice is one call.
 * @param items A response's output, a conversation's items, or the items of a stream.
 */
export function parseCalls(items: unknown[]): ObservedCall[] {
  let room = MAX_REQUESTS_LENGTH;
  const calls = locateCalls(items).map((call): ObservedCall => {
    const whole = toRequestText(call);
    const request = whole?.slice(0, room) ?? null;
    room -= request?.length ?? 0;
    const isCut = (request?.length ?? 0) < (whole?.length ?? 0);
    return {
      id: call.id,
      type: call.kind.type,
      // An empty text says as little as none.
      status: call.status?.slice(0, MAX_STATUS_LENGTH) || null,
      container_id: toOpenAIId(call.containerId),
      request,
      state: toResultState(call.result),
      ...(isCut ? { request_cut: true } : {}),
    };
  });
  const byId = new Map<string, ObservedCall>();
  for (const call of calls) {
    const isRepeated = byId.has(call.id);
    if (!isRepeated || (call.state === "populated" && byId.get(call.id)?.state !== call.state)) {
      byId.set(call.id, call);
    }
  }
  return [...byId.values()];
}

// The code of a code interpreter call is read as text; what others were asked is compared as JSON.
function toRequestText({ kind, request }: LocatedCall): string | null {
  if (kind === CODE_INTERPRETER) return typeof request === "string" ? request : null;
  return (request ?? null) === null ? null : JSON.stringify(request);
}

/** The output items that are calls or have their results, unchanged. */
export function filterCallItems(items: unknown[]): unknown[] {
  return items.filter(isCallItem);
}

/**
 * Parses JSON from OpenAI.
 * @returns Undefined when it is not JSON, or nested so deeply that recursive code would exhaust the stack.
 */
export function parseUpstreamJson(json: string): unknown {
  const value = parseJson(json);
  return exceedsDepth(value, MAX_UPSTREAM_DEPTH) ? undefined : value;
}

const NO_OPTIONS: TriggerOptions = {
  include: [],
  stream: false,
  control: false,
  hold: false,
  retention_days: null,
};

function parseOptions(metadata: Record<string, unknown> | null): TriggerOptions | null {
  const value = metadata?.[METADATA_KEY];
  if (typeof value !== "string") return null;
  return OptionsValue.safeParse(parseJson(value)).data ?? NO_OPTIONS;
}

function readAnnotations(output: unknown[]): unknown[] {
  return output.flatMap((item) => {
    const message = Message.safeParse(item);
    return message.success ? message.data.content.flatMap((part) => part.annotations) : [];
  });
}

function findCitedKinds(output: unknown[]): Citations {
  const types = new Set(
    readAnnotations(output).map((annotation) => Typed.safeParse(annotation).data?.type),
  );
  return { files: types.has("file_citation"), urls: types.has("url_citation") };
}

function findCitations(output: unknown[]): FileCitation[] {
  const citations = readAnnotations(output).flatMap((annotation) => {
    const citation = CitationAnnotation.safeParse(annotation);
    if (!citation.success) return [];
    const { file_id: id, container_id, filename } = citation.data;
    if (!OPENAI_ID.test(id) || !OPENAI_ID.test(container_id)) return [];
    return [{ id, container_id, filename }];
  });
  const byId = new Map(citations.map((citation) => [citation.id, citation]));
  return [...byId.values()].slice(0, MAX_REFERENCES);
}

// What can't be a part of a URL names nothing that could be fetched.
function toOpenAIId(id: string | null): string | null {
  return id !== null && OPENAI_ID.test(id) ? id : null;
}

function findContainers(calls: ObservedCall[], citations: FileCitation[]): string[] {
  const ids = [...calls, ...citations].map(({ container_id }) => container_id);
  const usable = ids.filter((id): id is string => id !== null && OPENAI_ID.test(id));
  return [...new Set(usable)].slice(0, MAX_REFERENCES);
}

function toIsoTime(seconds: number | null): string | null {
  if (seconds === null || !(seconds > 0 && seconds <= MAX_TIME_SECONDS)) return null;
  return new Date(seconds * 1000).toISOString();
}
