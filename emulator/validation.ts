import type * as z from "zod";
import { ApiError, defaultError } from "./errors.ts";

/** Parses a value with a schema. Throws the API's 400 for the first issue; `path` says where in the request the value stands. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, path: PropertyKey[] = []): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw toValidationError(parsed.error, path);
  return parsed.data;
}

/** Words the first issue as OpenAI does. */
function toValidationError(error: z.ZodError, path: PropertyKey[]): ApiError {
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
  const code = issue.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return new ApiError(400, `Invalid value for '${param}': ${issue.message}.`, { param, code });
}

/** Joins path keys as in `tools[0].container`. */
function toParamName(path: PropertyKey[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === "number") return `${name}[${key}]`;
    return name ? `${name}.${String(key)}` : String(key);
  }, "");
}
