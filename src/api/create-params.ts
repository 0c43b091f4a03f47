// What a caller asked for, checked, and as it goes to OpenAI.
import * as z from "zod";
import { OPENAI_MODEL, setting } from "../config.ts";
import { LARGEST_REQUEST, whyNotTwice } from "../openai/control.ts";
import { Problem } from "../errors.ts";
import { askable, EXAMPLE, OUTPUTS } from "../openai/client.ts";
import { METADATA_KEY, type Intent } from "../record/schema.ts";
import { hasCredentials } from "../record/redact.ts";

/** OpenAI takes 16 pairs; one carries what the recorder must not forget. */
const MOST_PAIRS = 15;

/** Days; the setting RETENTION_DAYS has the same bound. */
const LONGEST_RETENTION = 3_650;

/** Parameters that the recorder looks at itself. */
const NULLABLE = new Set(["model", "include", "metadata", "background", "store"]);

/** The recorder's own flags beside the create parameters. */
export const Flags = z.object({
  control: z.boolean().optional(),
  replay: z.boolean().optional(),
  hold: z.boolean().optional(),
  retention_days: z.int().min(1).max(LONGEST_RETENTION).optional(),
});

/** What a flag must be. */
const MUST: Record<string, string> = {
  retention_days: `a whole number of days from 1 to ${LONGEST_RETENTION}`,
};

const Body = z.record(z.string(), z.unknown());
const Pairs = z.record(z.string(), z.string());

/** A request as it goes to OpenAI, and what must outlive it. */
export type Prepared = { request: Record<string, unknown>; intent: Intent };

/**
 * The request as it goes to OpenAI.
 * @param env The Worker's environment.
 * @param asked What the caller sent.
 * @throws Problem 400 that says what to change.
 */
export function prepare(env: Env, asked: unknown): Prepared {
  const body = Body.safeParse(asked);
  if (!body.success)
    throw refused("The body must be a JSON object of Responses create parameters.");
  const { control, replay, hold, retention_days, ...rest } = body.data;
  const parameters = withoutNulls(rest);
  const flags = checkFlags({ control, replay, hold, retention_days });
  checkParameters(parameters);
  const example = Object.keys(parameters).length === 0 ? EXAMPLE : {};
  const request = { model: setting(env, OPENAI_MODEL), ...example, ...parameters };
  const include = includeOf(request);
  const intent = {
    include: include?.filter(isText) ?? [],
    replay: replay === true,
    control: control === true,
    hold: hold === true,
    retention_days: flags.retention_days ?? null,
  };
  const prepared: Prepared = {
    intent,
    request: {
      ...request,
      ...(include === null ? {} : { include }),
      metadata: { ...pairsOf(parameters["metadata"]), [METADATA_KEY]: intentText(intent) },
      background: !intent.hold,
      store: true,
      ...(intent.replay || intent.hold ? { stream: true } : {}),
    },
  };
  if (intent.control) checkTwice(prepared.request);
  if (intent.control) checkKeepable("control", prepared.request);
  if (intent.hold) checkKeepable("hold", prepared.request);
  return prepared;
}

/** Flags that say nothing beside `hold`. */
const HOLD_ALONE = {
  control: "hold runs in the foreground, as its control would. Leave one of them out.",
  replay: "hold reads the events as they come; there is nothing to replay. Leave replay out.",
};

function checkTwice(request: Record<string, unknown>): void {
  const why = whyNotTwice(request);
  if (why !== null)
    throw refused(`control can't run this request a second time: ${why}. Leave control out.`);
}

/**
 * Checks that a Workflow may keep a request, as it must to send it by itself.
 * @param flag What asks for it.
 * @param request Create parameters.
 * @throws Problem 400 for credentials, 413 for its size.
 */
export function checkKeepable(flag: string, request: Record<string, unknown>): void {
  if (hasCredentials(request)) {
    throw refused(
      `${flag} can't run a request that carries credentials: they would be kept with the run. Leave ${flag} out.`,
    );
  }
  if (new TextEncoder().encode(JSON.stringify(request)).byteLength <= LARGEST_REQUEST) return;
  throw new Problem(
    413,
    "too_large",
    `With ${flag} a request may have at most ${LARGEST_REQUEST} bytes. Leave ${flag} out.`,
  );
}

function checkFlags(given: Record<string, unknown>): z.infer<typeof Flags> {
  const flags = Flags.safeParse(given);
  if (!flags.success) {
    const name = String(flags.error.issues[0]?.path[0]);
    throw refused(`${name} must be ${MUST[name] ?? "true or false"}.`);
  }
  const { hold, control, replay } = flags.data;
  if (hold === true && control === true) throw refused(HOLD_ALONE.control);
  if (hold === true && replay === true) throw refused(HOLD_ALONE.replay);
  return flags.data;
}

// In these null asks for nothing, as in OpenAI's API; so does `stream: false`.
function withoutNulls(parameters: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(parameters).filter(([name, value]) => {
    if (name === "stream") return (value ?? false) !== false;
    return value !== null || !NULLABLE.has(name);
  });
  return Object.fromEntries(entries);
}

function checkParameters(parameters: Record<string, unknown>): void {
  if (parameters["background"] === false) {
    throw refused(
      "background: false can't be recorded: its answer comes back at once. Leave it out.",
    );
  }
  if (parameters["store"] === false) {
    throw refused(
      "store: false would let OpenAI delete the response before it is fetched. Leave it out.",
    );
  }
  if ((parameters["stream"] ?? false) !== false) {
    throw refused("stream is not for a background response that a webhook ends. Leave it out.");
  }
}

/**
 * What a request asks to have included; outputs always, where it has a code interpreter.
 * @param request Create parameters.
 * @returns Null when it asks for nothing.
 * @throws Problem 400 when it isn't a list.
 */
export function includeOf(request: Record<string, unknown>): unknown[] | null {
  const given = request["include"];
  if (given !== undefined && !Array.isArray(given)) throw refused("include must be a list.");
  const wanted: unknown[] = given ?? [];
  if (!usesInterpreter(request["tools"])) return given === undefined ? null : wanted;
  return wanted.includes(OUTPUTS) ? wanted : [...wanted, OUTPUTS];
}

function usesInterpreter(tools: unknown): boolean {
  const Tool = z.array(z.looseObject({ type: z.string() }).catch({ type: "" }));
  const parsed = Tool.safeParse(tools);
  return parsed.success && parsed.data.some((tool) => tool.type === "code_interpreter");
}

function pairsOf(metadata: unknown): Record<string, string> {
  const pairs = Pairs.safeParse(metadata ?? {});
  if (!pairs.success) throw refused("metadata must be an object whose values are strings.");
  const { [METADATA_KEY]: _, ...own } = pairs.data;
  if (Object.keys(own).length > MOST_PAIRS) {
    throw refused(
      `metadata takes ${MOST_PAIRS} pairs here: the 16th is the recorder's own, ${METADATA_KEY}.`,
    );
  }
  return own;
}

// At most 512 characters, so only what can be asked for again.
function intentText(intent: Intent): string {
  return JSON.stringify({ ...intent, include: askable(intent.include) });
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function refused(message: string): Problem {
  return new Problem(400, "bad_request", message);
}
