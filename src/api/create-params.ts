// Parses what a caller asked for into the request that goes to OpenAI.
import * as z from "zod";
import { OPENAI_MODEL, setting } from "../config.ts";
import { Problem } from "../errors.ts";
import { concatChunks } from "../lib/byte-stream.ts";
import { EXAMPLE_REQUEST, toRetrieveInclude } from "../openai/client.ts";
import { toControlMetadata, whyNotComparable } from "../openai/control.ts";
import { describePlaceholder, findPlaceholders } from "../record/request/placeholders.ts";
import { toolTypes } from "../record/request/tools.ts";
import { resultIncludes } from "../record/calls/item-kinds.ts";
import { MAX_RETENTION_DAYS } from "../record/limits.ts";
import { changeMembers } from "../lib/json-scan.ts";
import { METADATA_KEY, type TriggerOptions } from "../record/schema.ts";
import type { JsonBody } from "./json-body.ts";

/** OpenAI accepts 16 pairs; one of them carries the trigger's options. */
const MAX_METADATA_PAIRS = 15;

/** Parameters that the recorder reads itself. In these null means the default, as it does in OpenAI's API. */
const NULLABLE_PARAMS = new Set(["model", "include", "metadata", "background", "store"]);

/** The recorder's own flags in a trigger's body. */
export const Flags = z.object({
  control: z.boolean().optional(),
  hold: z.boolean().optional(),
  stream: z.boolean().optional(),
  retention_days: z.int().min(1).max(MAX_RETENTION_DAYS).optional(),
});

/** What a flag must be, when it is not a boolean. */
const FLAG_RULES: Record<string, string> = {
  retention_days: `a whole number of days from 1 to ${MAX_RETENTION_DAYS}`,
};

/** Placeholders that one refusal names. */
const MAX_NAMED_PLACEHOLDERS = 5;

const NOT_WITH_HOLD = {
  control: "hold runs in the foreground, as its control would. Leave one of them out.",
  stream: "hold reads the run's events in any case. Leave stream out.",
};

const Params = z.record(z.string(), z.unknown());
const Metadata = z.record(z.string(), z.string());

/** A request as it goes to OpenAI, and the options that must outlive it. */
export type CreateParams = {
  /** With every long text truncated. */
  request: Record<string, unknown>;
  /** Its JSON, in chunks. */
  body: Uint8Array[];
  /** The size of the JSON. */
  bytes: number;
  options: TriggerOptions;
};

/**
 * Parses a trigger.
 * @param given The caller's body: create parameters and flags.
 * @throws Problem 400 that says what to change.
 */
export function parseTrigger(env: Env, { json, value }: JsonBody): CreateParams {
  const parsed = Params.safeParse(value);
  if (!parsed.success) {
    throw badRequest("The body must be a JSON object of Responses create parameters.");
  }
  const { control, hold, stream, retention_days, replay, ...rest } = parsed.data;
  if (replay !== undefined) {
    throw badRequest("replay was removed: use stream: true, which follows the run's events.");
  }
  const given = withoutNulls(rest);
  const flags = parseFlags({ control, hold, stream: stream ?? undefined, retention_days });
  assertRecordable(given);
  assertComplete(given);
  const example = Object.keys(given).length === 0 ? EXAMPLE_REQUEST : {};
  // A stored prompt has a model of its own.
  const model = (given["prompt"] ?? null) === null ? { model: setting(env, OPENAI_MODEL) } : {};
  const params = { ...model, ...example, ...given };
  const include = parseInclude(params);
  const options: TriggerOptions = {
    include: include?.filter((name) => typeof name === "string") ?? [],
    stream: flags.stream === true,
    control: flags.control === true,
    hold: flags.hold === true,
    retention_days: flags.retention_days ?? null,
  };
  const request = {
    ...params,
    ...(include === null ? {} : { include }),
    metadata: { ...parseMetadata(given["metadata"]), [METADATA_KEY]: optionsJson(options) },
    background: !options.hold,
    store: true,
    ...(options.stream || options.hold ? { stream: true } : {}),
  };
  if (options.control) assertComparable(request);
  const body = toRequestBody(json, parsed.data, request);
  const bytes = body.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return { request, body, bytes, options };
}

/**
 * The JSON of a request, made from the caller's: texts that did not change are not copied.
 * @param json The caller's body.
 * @param before Its parsed value.
 * @param after The request. A member that is the same value as before is left as it is.
 */
export function toRequestBody(
  json: Uint8Array,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Uint8Array[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => before[name] !== after[name]);
  const changes = changed.map((name): [string, string | null] => [
    name,
    JSON.stringify(after[name]) ?? null,
  ]);
  return changeMembers(json, new Map(changes));
}

/**
 * The same request as a control: in the foreground, and streamed, so that an idle time limit does not cut a long run.
 * @param id The response that it is compared with.
 */
export function toControlBody({ request, body }: CreateParams, id: string): Uint8Array[] {
  const metadata = toControlMetadata(request["metadata"], id);
  return toRequestBody(concatChunks(body), request, {
    ...request,
    background: false,
    stream: true,
    metadata,
  });
}

function assertComparable(request: Record<string, unknown>): void {
  const reason = whyNotComparable(request);
  if (reason === null) return;
  const message = `control can't run this request a second time: ${reason}. Leave control out.`;
  throw new Problem("control_not_comparable", message, { param: "control" });
}

function parseFlags(given: Record<string, unknown>): z.infer<typeof Flags> {
  const flags = Flags.safeParse(given);
  if (!flags.success) {
    const name = String(flags.error.issues[0]?.path[0]);
    throw badRequest(`${name} must be ${FLAG_RULES[name] ?? "true or false"}.`, name);
  }
  const { hold, control, stream } = flags.data;
  if (hold === true && control === true) throw badRequest(NOT_WITH_HOLD.control, "hold");
  if (hold === true && stream === true) throw badRequest(NOT_WITH_HOLD.stream, "hold");
  return flags.data;
}

function withoutNulls(params: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(params).filter(
    ([name, value]) => value !== null || !NULLABLE_PARAMS.has(name),
  );
  return Object.fromEntries(entries);
}

function assertRecordable(params: Record<string, unknown>): void {
  if (params["background"] === false) {
    throw badRequest(
      "background: false can't be recorded: its answer comes back at once. Leave it out.",
    );
  }
  if (params["store"] === false) {
    throw badRequest(
      "store: false would let OpenAI delete the response before it is fetched. Leave it out.",
    );
  }
}

// A request that was read from a record can lack something.
function assertComplete(params: Record<string, unknown>): void {
  const placeholders = findPlaceholders(params);
  if (placeholders.length === 0) return;
  const named = placeholders.slice(0, MAX_NAMED_PLACEHOLDERS).map(describePlaceholder);
  throw badRequest(named.join(" "), placeholders[0]?.path);
}

/**
 * The `include` values of a request: the caller's, and those that ask for the results of its tools.
 * @returns Null when it includes nothing.
 * @throws Problem 400 when `include` is no list.
 */
export function parseInclude(request: Record<string, unknown>): unknown[] | null {
  const given = request["include"] ?? undefined;
  if (given !== undefined && !Array.isArray(given)) throw badRequest("include must be a list.");
  const values: unknown[] = given ?? [];
  const missing = resultIncludes(toolTypes(request["tools"])).filter(
    (value) => !values.includes(value),
  );
  if (missing.length > 0) return [...values, ...missing];
  return given === undefined ? null : values;
}

function parseMetadata(metadata: unknown): Record<string, string> {
  const pairs = Metadata.safeParse(metadata ?? {});
  if (!pairs.success) throw badRequest("metadata must be an object whose values are strings.");
  const { [METADATA_KEY]: _, ...own } = pairs.data;
  if (Object.keys(own).length > MAX_METADATA_PAIRS) {
    throw badRequest(
      `metadata takes ${MAX_METADATA_PAIRS} pairs here: the 16th is the recorder's own, ${METADATA_KEY}.`,
    );
  }
  return own;
}

/**
 * A request's metadata with the recorder's own pair.
 * @returns Null when there is no room for it, or when OpenAI will refuse the metadata.
 */
export function withOwnPair(
  metadata: unknown,
  options: TriggerOptions,
): Record<string, string> | null {
  const { data } = Metadata.safeParse(metadata ?? {});
  if (data === undefined) return null;
  const { [METADATA_KEY]: _, ...own } = data;
  if (Object.keys(own).length > MAX_METADATA_PAIRS) return null;
  return { ...own, [METADATA_KEY]: optionsJson(options) };
}

// A metadata value has at most 512 characters, so only the `include` values that GET accepts are stored.
function optionsJson(options: TriggerOptions): string {
  return JSON.stringify({ ...options, include: toRetrieveInclude(options.include) });
}

function badRequest(message: string, param?: string): Problem {
  return new Problem("bad_request", message, { param });
}
