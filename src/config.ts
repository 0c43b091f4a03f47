// Settings: the only file that reads them. A route whose setting is missing or malformed responds with 503.
import * as z from "zod";
import { Problem } from "./errors.ts";
import { HOLD_SETTINGS } from "./record/request/hold.ts";
import { MAX_RETENTION_DAYS } from "./record/limits.ts";
import { DEFAULT_LIMITS, type Policy } from "./record/policy.ts";

/** One setting: its schema, its default when it is unset, and whether it is a secret. */
export type SettingSpec<T> = {
  name: string;
  schema: z.ZodType<T>;
  fallback: string | undefined;
  secret: boolean;
};

const DAY_SECONDS = 24 * 60 * 60;
/** Begins the secret of a webhook; the rest is in base64. */
const SECRET_PREFIX = "whsec_";

const text = z.string().trim().min(1);
const integer = z.string().regex(/^\d+$/).transform(Number);
const seconds = integer.pipe(z.number().max(86_400));
const wordList = z.string().transform((value) => value.split(/\s+/).filter((word) => word !== ""));

export const OPENAI_API_KEY = secret("OPENAI_API_KEY", text);
export const OPENAI_WEBHOOK_SECRET = secret(
  "OPENAI_WEBHOOK_SECRET",
  wordList.pipe(z.array(z.string().refine(isWebhookSecret)).min(1)),
);
const token = z.string().trim().min(16);
export const ACCESS_TOKEN = secret("ACCESS_TOKEN", token);
const READ_TOKEN = secret("READ_TOKEN", token);
export const OPENAI_BASE_URL = variable(
  "OPENAI_BASE_URL",
  z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
  "https://api.openai.com/v1",
);
export const OPENAI_MODEL = variable("OPENAI_MODEL", text, "gpt-5.2-2025-12-11");
export const HOLD = variable("HOLD", z.enum(HOLD_SETTINGS), "auto");
export const RETENTION_DAYS = variable(
  "RETENTION_DAYS",
  integer.pipe(z.number().min(1).max(MAX_RETENTION_DAYS)),
  "30",
);
export const WEBHOOK_DEADLINE = variable("WEBHOOK_DEADLINE", seconds, "120");
export const REFETCH_DELAYS = variable(
  "REFETCH_DELAYS",
  wordList.pipe(z.array(seconds).max(50)),
  "5 20 60 180 300",
);
export const RECORD_EXTERNAL = variable(
  "RECORD_EXTERNAL",
  z.enum(["on", "off"]).transform((value) => value === "on"),
  "on",
);
/** Where the end of each run is reported. Credentials in front of its host would not be sent. */
const NOTIFY_URL: SettingSpec<string> = {
  name: "NOTIFY_URL",
  schema: z.url({ protocol: /^https?$/ }).refine((url) => {
    const { username, password } = new URL(url);
    return username === "" && password === "";
  }),
  fallback: undefined,
  secret: false,
};
const NOTIFY_SECRET = secret(
  "NOTIFY_SECRET",
  text.refine((value) => value.startsWith(SECRET_PREFIX) && isWebhookSecret(value)),
);

/** These are set both or neither. */
const NOTIFY: readonly SettingSpec<unknown>[] = [NOTIFY_URL, NOTIFY_SECRET];

const ALL: readonly SettingSpec<unknown>[] = [
  OPENAI_API_KEY,
  OPENAI_WEBHOOK_SECRET,
  ACCESS_TOKEN,
  OPENAI_BASE_URL,
  OPENAI_MODEL,
  HOLD,
  RETENTION_DAYS,
  WEBHOOK_DEADLINE,
  REFETCH_DELAYS,
  RECORD_EXTERNAL,
];

/**
 * The value of a setting.
 * @throws Problem 503 `not_configured` when it is missing or malformed.
 */
export function setting<T>(env: Env, which: SettingSpec<T>): T {
  const result = parseSetting(env, which);
  if (!result.success) throw notConfigured(which);
  return result.data;
}

/** Which settings are in place: booleans by name, never values. */
export function settingsInPlace(env: Env): Record<string, boolean> {
  const needed = asksToNotify(env) ? [...ALL, ...NOTIFY] : ALL;
  const inPlace = needed.map((which): [string, boolean] => [
    which.name,
    parseSetting(env, which).success,
  ]);
  const hasReadToken = readValue(env, READ_TOKEN) !== undefined;
  return {
    ...Object.fromEntries(inPlace),
    ...(hasReadToken ? { [READ_TOKEN.name]: findReadToken(env) !== null } : {}),
  };
}

/** The token that only reads; null when none is set, or when it can't be used: it is malformed, or it is the access token. */
export function findReadToken(env: Env): string | null {
  const { data = null } = parseSetting(env, READ_TOKEN);
  return data === parseSetting(env, ACCESS_TOKEN).data ? null : data;
}

/**
 * Where the end of each run is reported, and the secret that signs it; null when neither is set.
 * @throws Problem 503 `not_configured` when one is missing or malformed.
 */
export function readNotifyTarget(env: Env): { url: string; secret: string } | null {
  if (!asksToNotify(env)) return null;
  return { url: setting(env, NOTIFY_URL), secret: setting(env, NOTIFY_SECRET) };
}

// What is malformed can be corrected while a run is in flight: its end is reported then.
function asksToNotify(env: Env): boolean {
  return NOTIFY.some((which) => readValue(env, which) !== undefined);
}

/**
 * The settings that a run keeps from its start to its end.
 * @param origin The Worker's own, which the request came to.
 * @param recordExternal Only a webhook asks the setting: a run that was triggered or refetched is always recorded.
 * @throws Problem 503 `not_configured` when one is malformed.
 */
export function readPolicy(env: Env, origin: string, recordExternal = true): Policy {
  return {
    deadline_seconds: setting(env, WEBHOOK_DEADLINE),
    delays_seconds: setting(env, REFETCH_DELAYS),
    record_external: recordExternal,
    retention_seconds: setting(env, RETENTION_DAYS) * DAY_SECONDS,
    limits: DEFAULT_LIMITS,
    ...(asksToNotify(env) ? { notify: { origin } } : {}),
  };
}

function secret<T>(name: string, schema: z.ZodType<T>): SettingSpec<T> {
  return { name, schema, fallback: undefined, secret: true };
}

function variable<T>(name: string, schema: z.ZodType<T>, fallback: string): SettingSpec<T> {
  return { name, schema, fallback, secret: false };
}

function parseSetting<T>(env: Env, which: SettingSpec<T>): z.ZodSafeParseResult<T> {
  return which.schema.safeParse(readValue(env, which) ?? which.fallback);
}

// An empty value is none.
function readValue(env: Env, { name }: SettingSpec<unknown>): unknown {
  const values: Record<string, unknown> = { ...env };
  return values[name] === "" ? undefined : values[name];
}

// The SDK throws a DOMException on a whsec_ whose rest isn't base64, so such a secret counts as malformed.
function isWebhookSecret(value: string): boolean {
  if (!value.startsWith(SECRET_PREFIX)) return true;
  try {
    return atob(value.slice(SECRET_PREFIX.length)).length > 0;
  } catch {
    return false;
  }
}

function notConfigured(which: SettingSpec<unknown>): Problem {
  const how = which.secret
    ? `Set it with: npx wrangler secret put ${which.name}`
    : "Correct it under [vars] in wrangler.toml and deploy again.";
  return new Problem("not_configured", `The setting ${which.name} is missing or malformed. ${how}`);
}
