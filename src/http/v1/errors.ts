// Errors in the shape of OpenAI's API, which its SDKs expect.
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import type { Problem } from "../../errors.ts";
import { toSentence } from "../../lib/sentence.ts";
import {
  errorMessage,
  toApiError,
  withoutKeys,
  type ApiFailure,
} from "../../openai/api-failure.ts";
import { GIVE_PERMISSION, KEY_FORBIDDEN, KEY_REFUSED } from "../../openai/to-problem.ts";

/** An error answer in OpenAI's shape. */
export type OpenAIError = {
  status: ContentfulStatusCode;
  error: Record<string, unknown>;
  headers: Record<string, string>;
};

/** The SDK tries 5xx and 409 again by itself. After these that would start a second run, or change nothing. */
const NOT_RETRIED = new Set(["may_have_started", "handover_failed", "openai_unauthorized"]);

const Status = z.custom<ContentfulStatusCode>((status) => typeof status === "number");
const ErrorObject = z.record(z.string(), z.unknown());

/**
 * An error in OpenAI's shape.
 * @param message What is wrong and what to do.
 * @param details The parameter at fault, a code, and the response that it is about.
 */
export function toOpenAIError(
  status: ContentfulStatusCode,
  message: string,
  details: { param?: string; code?: string; id?: string } = {},
): OpenAIError {
  const isFinal = details.code !== undefined && NOT_RETRIED.has(details.code);
  return {
    status,
    error: { message, type: errorType(status), param: null, code: null, ...details },
    headers: isFinal ? { "x-should-retry": "false" } : {},
  };
}

function errorType(status: number): string {
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** A Problem in OpenAI's shape. */
export function fromProblem(problem: Problem): OpenAIError {
  const { status, message, code, param, id, requestId, retryAfterSeconds } = problem;
  const known = status === 429 ? "rate_limit_exceeded" : code;
  const { error, headers } = toOpenAIError(status, message, {
    code: known,
    ...(param === undefined ? {} : { param }),
    ...(id === undefined ? {} : { id }),
  });
  return {
    status,
    error,
    headers: {
      ...headers,
      ...(requestId === undefined ? {} : { "x-request-id": requestId }),
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
  };
}

/** OpenAI's refusal of our own key. */
export const OPENAI_KEY_REFUSED = toOpenAIError(502, KEY_REFUSED, { code: "openai_unauthorized" });

/** OpenAI's refusal of what our key may do, with its own words. */
export function toForbidden(message: string): OpenAIError {
  const words = `${KEY_FORBIDDEN}: ${toSentence(withoutKeys(message))} ${GIVE_PERMISSION}`;
  return toOpenAIError(502, words, { code: "openai_unauthorized" });
}

/** What OpenAI answered to a create that it did not carry out; its status is known. */
export type Refusal = Pick<ApiFailure, "error" | "requestId" | "retryAfter"> & {
  status: number;
  headers?: Record<string, string>;
};

/** A refusal as the caller gets it: OpenAI's own, unless it is about our key. */
export function fromRefusal(refusal: Refusal): OpenAIError {
  const { status, error, requestId, retryAfter, headers } = refusal;
  const passed = {
    ...(requestId === null ? {} : { "x-request-id": requestId }),
    ...(retryAfter === null ? {} : { "retry-after": retryAfter }),
    ...headers,
  };
  if (status === 401 || status === 403) {
    const answer =
      status === 401 ? OPENAI_KEY_REFUSED : toForbidden(errorMessage(toApiError(refusal)));
    return { ...answer, headers: { ...passed, ...answer.headers } };
  }
  const own = toOpenAIError(Status.parse(status), `OpenAI answered ${status}, without a reason.`);
  return { ...own, error: ErrorObject.safeParse(error).data ?? own.error, headers: passed };
}
