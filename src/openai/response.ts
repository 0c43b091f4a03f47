// Parses response objects. Real bodies carry fields that no document names, so only what is needed is checked.
import * as z from "zod";
import { exceedsDepth, parseJson } from "../lib/json-parse.ts";
import { toCustomMetadata } from "../record/metadata.ts";
import { MAX_RETENTION_DAYS, MAX_UPSTREAM_DEPTH } from "../record/limits.ts";
import {
  METADATA_KEY,
  type FileCitation,
  type ObservedCall,
  type OutputState,
  type RecorderParams,
  type ResponseFields,
  type TriggerOptions,
} from "../record/schema.ts";

/** A response id. OpenAI's have about 55 characters and begin with `resp_`, those of gateways about 200. */
export const RESPONSE_ID = /^(?!\.{1,2}$)[A-Za-z0-9_.=-]{1,300}$/;
/** The id of something else of OpenAI's that becomes a part of a URL. */
const OPENAI_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** Times beyond these are no times of a response: some send milliseconds. Seconds since 1970. */
const MAX_TIME_SECONDS = Date.parse("9999-12-31") / 1000;

/** Characters of code that the record keeps of all calls together; the response's body has all of it. */
const MAX_CODE_LENGTH = 128 * 1024;
/** Characters of a status and of a model's name that the record keeps. */
const MAX_STATUS_LENGTH = 64;
const MAX_MODEL_LENGTH = 128;
/** Citations and containers that the record keeps. */
const MAX_REFERENCES = 200;

const nullable = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? null)
    .catch(null);

/** A text that lists show, and that has no business to be longer. */
const text = (maxLength: number) => z.string().transform((value) => value.slice(0, maxLength));

const CallItem = z.looseObject({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  status: nullable(text(MAX_STATUS_LENGTH)),
  container_id: nullable(z.string()),
  code: nullable(z.string()),
  outputs: z.unknown().optional(),
});

const Output = z.looseObject({ output: z.array(z.unknown()).catch([]) });

const ResponseObject = Output.extend({
  id: z.string(),
  status: text(MAX_STATUS_LENGTH),
  model: nullable(text(MAX_MODEL_LENGTH)),
  background: nullable(z.boolean()),
  store: nullable(z.boolean()),
  created_at: nullable(z.number()),
  completed_at: nullable(z.number()),
  metadata: nullable(z.record(z.string(), z.unknown())),
  error: nullable(
    z.looseObject({
      code: z.union([z.string(), z.number().transform(String)]).catch("error"),
      message: z.string().catch(""),
    }),
  ),
  conversation: nullable(z.union([z.string(), z.looseObject({ id: z.string() })])),
  usage: nullable(z.looseObject({ output_tokens: z.number() })),
});

/** The first answer to a create. */
export const CreatedResponse = z.looseObject({
  id: z.string().regex(RESPONSE_ID),
  status: text(MAX_STATUS_LENGTH),
  model: nullable(text(MAX_MODEL_LENGTH)),
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

const CitationAnnotation = z.looseObject({
  type: z.literal("container_file_citation"),
  container_id: z.string(),
  file_id: z.string(),
  filename: z.string().catch(""),
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
    conversation:
      typeof data.conversation === "string" ? data.conversation : (data.conversation?.id ?? null),
    containers: findContainers(calls, cited_files),
    cited_files,
    // Reasoning is an item as well.
    lacks_items: data.output.length === 0 && (data.usage?.output_tokens ?? 0) > 0,
  };
  return { fields, calls };
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
 * What output items show of their calls, in their order.
 * @param items A response's output, a conversation's items, or the items of a stream.
 */
export function parseCalls(items: unknown[]): ObservedCall[] {
  let room = MAX_CODE_LENGTH;
  return items.flatMap((item) => {
    const parsed = CallItem.safeParse(item);
    if (!parsed.success) return [];
    const { id, outputs } = parsed.data;
    // An empty text says as little as none.
    const status = parsed.data.status || null;
    const container_id = toOpenAIId(parsed.data.container_id);
    const code = parsed.data.code?.slice(0, room) ?? null;
    room -= code?.length ?? 0;
    const isCut = code !== null && code.length < (parsed.data.code?.length ?? 0);
    const call = { id, status, container_id, code, state: toOutputState(outputs) };
    return [isCut ? { ...call, code_cut: true } : call];
  });
}

/** The output items that are calls, unchanged. */
export function filterCallItems(items: unknown[]): unknown[] {
  return items.filter((item) => CallItem.safeParse(item).success);
}

/**
 * Parses JSON from OpenAI.
 * @returns Undefined when it is not JSON, or nested so deeply that recursive code would exhaust the stack.
 */
export function parseUpstreamJson(json: string): unknown {
  const value = parseJson(json);
  return exceedsDepth(value, MAX_UPSTREAM_DEPTH) ? undefined : value;
}

function toOutputState(outputs: unknown): OutputState {
  if (!Array.isArray(outputs)) return "null";
  return outputs.length > 0 ? "populated" : "empty";
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

function findCitations(output: unknown[]): FileCitation[] {
  const annotations = output.flatMap((item) => {
    const message = Message.safeParse(item);
    return message.success ? message.data.content.flatMap((part) => part.annotations) : [];
  });
  const citations = annotations.flatMap((annotation) => {
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
