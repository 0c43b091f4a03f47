// Parses what a caller asked for into the request that goes to OpenAI.
import * as z from "zod";
import { OPENAI_MODEL, setting } from "../config.ts";
import { Problem } from "../errors.ts";
import { EXAMPLE_REQUEST, INCLUDE_OUTPUTS, toRetrieveInclude } from "../openai/client.ts";
import { MAX_REQUEST_BYTES, nonRepeatableReason } from "../openai/control.ts";
import { toolTypes } from "../openai/tools.ts";
import { MAX_RETENTION_DAYS } from "../record/limits.ts";
import { hasCredentials } from "../record/redact.ts";
import { METADATA_KEY, type TriggerOptions } from "../record/schema.ts";

/** OpenAI accepts 16 pairs; one of them carries the trigger's options. */
const MAX_METADATA_PAIRS = 15;

/** Parameters that the recorder reads itself. In these null means the default, as it does in OpenAI's API. */
const NULLABLE_PARAMS = new Set(["model", "include", "metadata", "background", "store"]);

/** The recorder's own flags in a trigger's body. */
export const Flags = z.object({
  control: z.boolean().optional(),
  replay: z.boolean().optional(),
  hold: z.boolean().optional(),
  retention_days: z.int().min(1).max(MAX_RETENTION_DAYS).optional(),
});

/** What a flag must be, when it is not a boolean. */
const FLAG_RULES: Record<string, string> = {
  retention_days: `a whole number of days from 1 to ${MAX_RETENTION_DAYS}`,
};

const NOT_WITH_HOLD = {
  control: "hold runs in the foreground, as its control would. Leave one of them out.",
  replay: "hold reads the events as they come; there is nothing to replay. Leave replay out.",
};

const Params = z.record(z.string(), z.unknown());
const Metadata = z.record(z.string(), z.string());

/** A request as it goes to OpenAI, and the options that must outlive it. */
export type CreateParams = { request: Record<string, unknown>; options: TriggerOptions };

/**
 * Parses a trigger.
 * @param body The caller's body: create parameters and flags.
 * @throws Problem 400 that says what to change, 413 when the request is too large for its flags.
 */
export function parseTrigger(env: Env, body: unknown): CreateParams {
  const parsed = Params.safeParse(body);
  if (!parsed.success) {
    throw badRequest("The body must be a JSON object of Responses create parameters.");
  }
  const { control, replay, hold, retention_days, ...rest } = parsed.data;
  const given = withoutNulls(rest);
  const flags = parseFlags({ control, replay, hold, retention_days });
  assertRecordable(given);
  const example = Object.keys(given).length === 0 ? EXAMPLE_REQUEST : {};
  const params = { model: setting(env, OPENAI_MODEL), ...example, ...given };
  const include = parseInclude(params);
  const options: TriggerOptions = {
    include: include?.filter((value) => typeof value === "string") ?? [],
    replay: flags.replay === true,
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
    ...(options.replay || options.hold ? { stream: true } : {}),
  };
  if (options.control) assertRepeatable(request);
  if (options.control) assertStorable("control", request);
  if (options.hold) assertStorable("hold", request);
  return { request, options };
}

function assertRepeatable(request: Record<string, unknown>): void {
  const reason = nonRepeatableReason(request);
  if (reason === null) return;
  throw badRequest(`control can't run this request a second time: ${reason}. Leave control out.`);
}

/**
 * Checks that a Workflow may store a request, which it must do to send it.
 * @param flag What asks for it.
 * @throws Problem 400 for credentials, 413 for its size.
 */
export function assertStorable(flag: string, request: Record<string, unknown>): void {
  if (hasCredentials(request)) {
    throw badRequest(
      `${flag} can't run a request that carries credentials: they would be stored with the run. Leave ${flag} out.`,
    );
  }
  const bytes = new TextEncoder().encode(JSON.stringify(request)).byteLength;
  if (bytes <= MAX_REQUEST_BYTES) return;
  throw new Problem(
    "too_large",
    `With ${flag} a request may have at most ${MAX_REQUEST_BYTES} bytes. Leave ${flag} out.`,
  );
}

function parseFlags(given: Record<string, unknown>): z.infer<typeof Flags> {
  const flags = Flags.safeParse(given);
  if (!flags.success) {
    const name = String(flags.error.issues[0]?.path[0]);
    throw badRequest(`${name} must be ${FLAG_RULES[name] ?? "true or false"}.`);
  }
  const { hold, control, replay } = flags.data;
  if (hold === true && control === true) throw badRequest(NOT_WITH_HOLD.control);
  if (hold === true && replay === true) throw badRequest(NOT_WITH_HOLD.replay);
  return flags.data;
}

// `stream: false` is the default as well.
function withoutNulls(params: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(params).filter(([name, value]) => {
    if (name === "stream") return (value ?? false) !== false;
    return value !== null || !NULLABLE_PARAMS.has(name);
  });
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
  if ((params["stream"] ?? false) !== false) {
    throw badRequest("stream is not for a background response that a webhook ends. Leave it out.");
  }
}

/**
 * The `include` values of a request: the caller's, and always the outputs when it has a code interpreter.
 * @returns Null when it includes nothing.
 * @throws Problem 400 when `include` is no list.
 */
export function parseInclude(request: Record<string, unknown>): unknown[] | null {
  const given = request["include"];
  if (given !== undefined && !Array.isArray(given)) throw badRequest("include must be a list.");
  const values: unknown[] = given ?? [];
  if (!toolTypes(request["tools"]).includes("code_interpreter")) {
    return given === undefined ? null : values;
  }
  return values.includes(INCLUDE_OUTPUTS) ? values : [...values, INCLUDE_OUTPUTS];
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

// A metadata value has at most 512 characters, so only the `include` values that GET accepts are stored.
function optionsJson(options: TriggerOptions): string {
  return JSON.stringify({ ...options, include: toRetrieveInclude(options.include) });
}

function badRequest(message: string): Problem {
  return new Problem("bad_request", message);
}
