import type * as z from "zod";
import { ApiError, defaultError } from "./errors.ts";

/** Parses a value with a schema. Throws the API's 400 for the first issue; `path` says where in the request the value stands. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, path: PropertyKey[] = []): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw toValidationError(parsed.error, path, value);
  return parsed.data;
}

/** Words the first issue as OpenAI does. */
function toValidationError(error: z.ZodError, path: PropertyKey[], value: unknown): ApiError {
  const issue = error.issues[0];
  if (!issue) return defaultError(400);
  const param = toParamName([...path, ...issue.path]) || "body";
  if (issue.code === "unrecognized_keys") {
    const key = toParamName([...path, ...issue.path, ...issue.keys.slice(0, 1)]);
    return new ApiError(400, `Unknown parameter: '${key}'.`, {
      param: key,
      code: "unknown_parameter",
    });
  }
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    const message = `Missing required parameter: '${param}'.`;
    return new ApiError(400, message, { param, code: "missing_required_parameter" });
  }
  const wording = toRecordedWording(issue, param, getAtPath(value, issue.path));
  if (wording) return new ApiError(400, wording.message, { param, code: wording.code });
  const code = issue.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return new ApiError(400, `Invalid value for '${param}': ${issue.message}.`, { param, code });
}

interface Wording {
  message: string;
  code: string;
}

/** The recorded code and wording of a refusal; null where none was recorded. */
function toRecordedWording(issue: z.core.$ZodIssue, param: string, value: unknown): Wording | null {
  if (issue.code === "too_small" && isNumeric(issue.origin)) {
    const expected = `Expected a value >= ${issue.minimum}, but got ${String(value)} instead.`;
    return {
      message: `Invalid '${param}': integer below minimum value. ${expected}`,
      code: "integer_below_min_value",
    };
  }
  if (issue.code === "too_big" && isNumeric(issue.origin)) {
    const expected = `Expected a value <= ${issue.maximum}, but got ${String(value)} instead.`;
    return {
      message: `Invalid '${param}': integer above maximum value. ${expected}`,
      code: "integer_above_max_value",
    };
  }
  if (issue.code === "too_big" && typeof value === "string") {
    const got = `but got a string with length ${value.length} instead.`;
    const expected = `Expected a string with maximum length ${issue.maximum}, ${got}`;
    return {
      message: `Invalid '${param}': string too long. ${expected}`,
      code: "string_above_max_length",
    };
  }
  if (issue.code !== "invalid_value" || typeof value !== "string") return null;
  const supported = issue.values.map((known) => `'${String(known)}'`).join(", ");
  return {
    message: `Invalid value: '${value}'. Supported values are: ${supported}.`,
    code: "invalid_value",
  };
}

/** A query's number is checked as one, though it is sent as text. */
function isNumeric(origin: string): boolean {
  return origin === "number" || origin === "int";
}

function getAtPath(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof inner !== "object" || inner === null) return undefined;
    const entry: unknown = Reflect.get(inner, key);
    return entry;
  }, value);
}

/** Joins path keys as in `tools[0].container`. */
function toParamName(path: PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === "number") return `${name}[${key}]`;
    return name ? `${name}.${String(key)}` : String(key);
  }, "");
}
