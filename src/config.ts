// Settings: the only file that reads them. A missing or malformed one never opens a door.
import * as z from "zod";
import { Problem } from "./errors.ts";
import type { Rules } from "./record/schema.ts";

/** One setting: its name, its form, what stands in when it is unset, and whether it is a secret. */
export type Setting<T> = {
  name: string;
  schema: z.ZodType<T>;
  fallback: string | undefined;
  secret: boolean;
};

const text = z.string().trim().min(1);
const integer = z.string().regex(/^\d+$/).transform(Number);
const seconds = integer.pipe(z.number().max(86_400));
const words = z.string().transform((value) => value.split(/\s+/).filter((word) => word !== ""));

export const OPENAI_API_KEY = secret("OPENAI_API_KEY", text);
export const OPENAI_WEBHOOK_SECRET = secret(
  "OPENAI_WEBHOOK_SECRET",
  words.pipe(z.array(z.string().refine(isWebhookSecret)).min(1)),
);
export const ACCESS_TOKEN = secret("ACCESS_TOKEN", z.string().trim().min(16));
export const OPENAI_BASE_URL = variable(
  "OPENAI_BASE_URL",
  z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
  "https://api.openai.com/v1",
);
export const OPENAI_MODEL = variable("OPENAI_MODEL", text, "gpt-5.2-2025-12-11");
export const RETENTION_DAYS = variable(
  "RETENTION_DAYS",
  integer.pipe(z.number().min(1).max(3_650)),
  "30",
);
export const WEBHOOK_DEADLINE = variable("WEBHOOK_DEADLINE", seconds, "120");
export const REFETCH_DELAYS = variable(
  "REFETCH_DELAYS",
  words.pipe(z.array(seconds).max(50)),
  "5 20 60 180 300",
);
export const RECORD_EXTERNAL = variable(
  "RECORD_EXTERNAL",
  z.enum(["on", "off"]).transform((value) => value === "on"),
  "on",
);

const ALL: readonly Setting<unknown>[] = [
  OPENAI_API_KEY,
  OPENAI_WEBHOOK_SECRET,
  ACCESS_TOKEN,
  OPENAI_BASE_URL,
  OPENAI_MODEL,
  RETENTION_DAYS,
  WEBHOOK_DEADLINE,
  REFETCH_DELAYS,
  RECORD_EXTERNAL,
];

/**
 * The value of a setting.
 * @param env The Worker's environment.
 * @param which One of this file's settings.
 * @throws Problem 503 `not_configured` when it is missing or malformed.
 */
export function setting<T>(env: Env, which: Setting<T>): T {
  const result = read(env, which);
  if (!result.success) throw notConfigured(which);
  return result.data;
}

/**
 * Which settings are in place.
 * @param env The Worker's environment.
 * @returns Booleans by name, never values.
 */
export function settingsInPlace(env: Env): Record<string, boolean> {
  return Object.fromEntries(ALL.map((which) => [which.name, read(env, which).success]));
}

/**
 * What a run plans by.
 * @param env The Worker's environment.
 * @param strangers Whether responses that aren't ours are recorded.
 * @throws Problem 503 when a setting is malformed.
 */
export function rulesOf(env: Env, strangers = true): Rules {
  return {
    deadline: setting(env, WEBHOOK_DEADLINE),
    again: setting(env, REFETCH_DELAYS),
    strangers,
  };
}

function secret<T>(name: string, schema: z.ZodType<T>): Setting<T> {
  return { name, schema, fallback: undefined, secret: true };
}

function variable<T>(name: string, schema: z.ZodType<T>, fallback: string): Setting<T> {
  return { name, schema, fallback, secret: false };
}

function read<T>(env: Env, which: Setting<T>): z.ZodSafeParseResult<T> {
  const values: Record<string, unknown> = { ...env };
  const value = values[which.name];
  return which.schema.safeParse(value === undefined || value === "" ? which.fallback : value);
}

// The SDK throws a DOMException on a whsec_ whose rest isn't base64; better to say so beforehand.
function isWebhookSecret(value: string): boolean {
  if (!value.startsWith("whsec_")) return true;
  try {
    return atob(value.slice("whsec_".length)).length > 0;
  } catch {
    return false;
  }
}

function notConfigured(which: Setting<unknown>): Problem {
  const how = which.secret
    ? `Set it with: npx wrangler secret put ${which.name}`
    : "Correct it under [vars] in wrangler.toml and deploy again.";
  return new Problem(
    503,
    "not_configured",
    `The setting ${which.name} is missing or malformed. ${how}`,
  );
}
