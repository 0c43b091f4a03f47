// What a failed request to OpenAI says.
import { APIError } from "openai";
import * as z from "zod";
import { MAX_ERROR_CODE_LENGTH } from "../record/limits.ts";
import { pickAnswerHeaders } from "./answer-headers.ts";

/** The SDK's types are wishes: gateways send a number as code. */
const text = z
  .union([z.string(), z.number().transform(String)])
  .transform((value) => value.slice(0, MAX_ERROR_CODE_LENGTH))
  .nullable()
  .catch(null);
const NO_WORDS = { code: null, param: null };
const OwnError = z.object({ code: text, param: text }).catch(NO_WORDS);

/** OpenAI's keys, of which its messages can quote a part. */
const KEY = /\b(?:sk|sess)-[\w*.-]+/g;

/** A failure. `status` is null when no answer came. */
export type ApiFailure = {
  status: number | null;
  code: string | null;
  message: string;
  param: string | null;
  requestId: string | null;
  /** The `Retry-After` header as it was sent. */
  retryAfter: string | null;
  /** The headers that a caller gets. */
  headers: Record<string, string>;
  /** OpenAI's own error object. */
  error: unknown;
};

/**
 * Reads what the SDK threw. The SDK throws more than its own errors: a SyntaxError on half a body, a TypeError on HTML, a DOMException on a time-out.
 * @param error What was thrown.
 */
export function toApiFailure(error: unknown): ApiFailure {
  const message = errorMessage(error);
  if (!(error instanceof APIError) || error.status === undefined) {
    const requestId = error instanceof APIError ? (error.requestID ?? null) : null;
    const nothing = { status: null, code: null, param: null, retryAfter: null, headers: {} };
    return { ...nothing, error: undefined, message, requestId };
  }
  const given: unknown = error.headers;
  const headers = given instanceof Headers ? given : new Headers();
  const own: unknown = error.error;
  const { code, param } = OwnError.parse(own);
  return {
    status: Number(error.status),
    code,
    message,
    param,
    requestId: error.requestID ?? null,
    retryAfter: headers.get("retry-after"),
    headers: pickAnswerHeaders(headers),
    error: own,
  };
}

/**
 * A refusal that another object was answered with, as the SDK throws it.
 * @param error OpenAI's own error object.
 */
export function toApiError({
  status,
  error,
  requestId,
}: Pick<ApiFailure, "error" | "requestId"> & { status: number }): APIError {
  const headers = new Headers(requestId === null ? {} : { "x-request-id": requestId });
  // With an error object that is empty the SDK's message would be "{}".
  const own = z.record(z.string(), z.unknown()).safeParse(error).data;
  return APIError.generate(status, { error: own }, undefined, headers);
}

/** The message of an error as OpenAI wrote it, without keys: the SDK puts the status in front. Without a message the status is all that it says. */
export function errorMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const own = error instanceof APIError ? message.replace(/^\d{3} (?!status code)/, "") : message;
  return withoutKeys(own);
}

/** A text of OpenAI's without the keys that it quotes. */
export function withoutKeys(message: string): string {
  return message.replaceAll(KEY, "sk-…");
}
