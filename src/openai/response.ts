// What a response object says. Real bodies carry keys that no document names, so only what is needed is checked, and the rest let through.
import * as z from "zod";
import { isDeeper } from "../lib/json-depth.ts";
import {
  METADATA_KEY,
  type Citation,
  type Facts,
  type Intent,
  type OutputState,
  type SeenCall,
} from "../record/schema.ts";

/** Characters of code that are kept of all calls together; the response's body has all of it. */
const MOST_CODE = 128 * 1024;
/** Citations and containers that are kept. */
const MOST_NAMED = 200;
/** Levels of JSON that are looked into; a response has perhaps twenty. */
const DEEPEST = 1_000;

const nullable = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? null)
    .catch(null);

// Real bodies carry keys that no document names, so only what is needed is checked, and the rest let through.
const CallItem = z.looseObject({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  container_id: nullable(z.string()),
  code: nullable(z.string()),
  outputs: z.unknown().optional(),
});

const ResponseObject = z.looseObject({
  id: z.string(),
  status: z.string(),
  model: nullable(z.string()),
  background: nullable(z.boolean()),
  store: nullable(z.boolean()),
  created_at: nullable(z.number()),
  completed_at: nullable(z.number()),
  metadata: nullable(z.record(z.string(), z.unknown())),
  error: nullable(z.looseObject({ code: z.string(), message: z.string() })),
  conversation: nullable(z.union([z.string(), z.looseObject({ id: z.string() })])),
  tools: z.array(z.unknown()).catch([]),
  output: z.array(z.unknown()).catch([]),
});

const IntentValue = z.object({
  include: z.array(z.string()).catch([]),
  replay: z.boolean().catch(false),
  control: z.boolean().catch(false),
  hold: z.boolean().catch(false),
  retention_days: z.int().min(1).max(3_650).nullable().catch(null),
});

const Message = z.looseObject({
  type: z.literal("message"),
  content: z.array(z.looseObject({ annotations: z.array(z.unknown()).catch([]) })).catch([]),
});

const FileCitation = z.looseObject({
  type: z.literal("container_file_citation"),
  container_id: z.string(),
  file_id: z.string(),
  filename: z.string().catch(""),
});

const NamedContainer = z.looseObject({
  type: z.literal("code_interpreter"),
  container: z.string(),
});

/** What a response object says, and what was seen of its calls. */
export type Read = { facts: Facts; calls: SeenCall[] };

/**
 * Reads a response object.
 * @param value Parsed JSON.
 * @returns Null when it is no response object.
 */
export function readResponse(value: unknown): Read | null {
  const parsed = ResponseObject.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  const calls = readCalls(data.output);
  const cited = citations(data.output);
  const facts: Facts = {
    status: data.status,
    model: data.model,
    background: data.background,
    store: data.store,
    created_at: iso(data.created_at),
    completed_at: iso(data.completed_at),
    intent: intentOf(data.metadata),
    error: data.error === null ? null : { code: data.error.code, message: data.error.message },
    conversation:
      typeof data.conversation === "string" ? data.conversation : (data.conversation?.id ?? null),
    containers: containers(calls, cited),
    cited,
  };
  return { facts, calls };
}

/**
 * What was seen of the calls among output items, in their order.
 * @param items A response's output, a conversation's items, or what a stream brought.
 */
export function readCalls(items: unknown[]): SeenCall[] {
  let room = MOST_CODE;
  return items.flatMap((item) => {
    const parsed = CallItem.safeParse(item);
    if (!parsed.success) return [];
    const { id, container_id, outputs } = parsed.data;
    const code = parsed.data.code?.slice(0, room) ?? null;
    room -= code?.length ?? 0;
    return [{ id, container_id, code, state: stateOf(outputs) }];
  });
}

/**
 * The calls among output items, whole.
 * @param items As above.
 */
export function callItems(items: unknown[]): unknown[] {
  return items.filter((item) => CallItem.safeParse(item).success);
}

/**
 * Whether a request names a container of its own choosing, which other responses may share.
 * @param tools The response's or the request's tools.
 */
export function namesContainer(tools: unknown): boolean {
  return Array.isArray(tools) && tools.some((tool) => NamedContainer.safeParse(tool).success);
}

function stateOf(outputs: unknown): OutputState {
  if (!Array.isArray(outputs)) return "null";
  return outputs.length > 0 ? "populated" : "empty";
}

const NO_WISH: Intent = {
  include: [],
  replay: false,
  control: false,
  hold: false,
  retention_days: null,
};

function intentOf(metadata: Record<string, unknown> | null): Intent | null {
  const value = metadata?.[METADATA_KEY];
  if (typeof value !== "string") return null;
  const parsed = IntentValue.safeParse(parseJson(value));
  return parsed.success ? parsed.data : NO_WISH;
}

function citations(output: unknown[]): Citation[] {
  const annotations = output.flatMap((item) => {
    const message = Message.safeParse(item);
    return message.success ? message.data.content.flatMap((part) => part.annotations) : [];
  });
  const cited = annotations.flatMap((annotation) => {
    const file = FileCitation.safeParse(annotation);
    if (!file.success) return [];
    const { file_id: id, container_id, filename } = file.data;
    return [{ id, container_id, filename }];
  });
  const byId = new Map(cited.map((file) => [file.id, file]));
  return [...byId.values()].slice(0, MOST_NAMED);
}

function containers(calls: SeenCall[], cited: Citation[]): string[] {
  const ids = [...calls, ...cited].map((one) => one.container_id);
  return [...new Set(ids)].filter((id) => id !== null).slice(0, MOST_NAMED);
}

/**
 * Parses JSON from outside.
 * @returns Undefined when it is none.
 */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/**
 * Parses what OpenAI answered.
 * @returns Undefined when it is no JSON, or nested so deeply that nobody can look into it.
 */
export function parseAnswer(json: string): unknown {
  const value = parseJson(json);
  return isDeeper(value, DEEPEST) ? undefined : value;
}

function iso(seconds: number | null): string | null {
  if (seconds === null || !Number.isFinite(seconds) || Math.abs(seconds) > 8e12) return null;
  return new Date(seconds * 1000).toISOString();
}
