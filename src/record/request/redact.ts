// Redacts requests, and what OpenAI repeats of them, before they are stored: no credentials, and a request of bounded size.
import { concatChunks } from "../../lib/byte-stream.ts";
import { applyEdits, parseValue, scanMembers } from "../../lib/json-scan.ts";
import { cutText, isCredential, REMOVED, TOO_LARGE } from "./placeholders.ts";

/** OpenAI's own mask. */
const MASKED = "<redacted>";
/** Characters of JSON that a stored request has at most. It is part of the Recorder's state, which is written at each change. */
const MAX_REQUEST_LENGTH = 128 * 1024;
/** Characters that remain of a long text when the request is larger. */
const EXCERPT_LENGTH = 200;

/**
 * A copy of a request without its credentials; long texts are truncated when the request is large.
 * @param jsonBytes The size of the JSON that it was parsed from: texts above 128 KiB were truncated then, and escapes in it can hide that.
 */
export function redactRequest(
  request: Record<string, unknown>,
  jsonBytes = 0,
): Record<string, unknown> {
  const clean = removeCredentials(request);
  const length = Math.max(jsonBytes, JSON.stringify(clean).length);
  if (length <= MAX_REQUEST_LENGTH) return clean;
  const short = truncateFields(clean);
  if (JSON.stringify(short).length <= MAX_REQUEST_LENGTH) return short;
  return { model: clean["model"], note: TOO_LARGE };
}

/** Whether a request carries credentials. */
export function hasCredentials(request: Record<string, unknown>): boolean {
  return JSON.stringify(request) !== JSON.stringify(removeCredentials(request));
}

/**
 * A response object, or an event with one, without the credentials of its tools. It is not known whether OpenAI returns them.
 * @param chunks Its JSON.
 * @param value The parsed JSON, in which long texts may be truncated.
 * @param text What it was parsed from: of a member that stands there twice, the value shows only the last one.
 * @returns The same chunks when there are none.
 */
export function redactJson(chunks: Uint8Array[], value: unknown, text = ""): Uint8Array[] {
  if (!isObject(value)) return chunks;
  const echo = pickEcho(value);
  if (!hasCredentials(echo) && !hidesMembers(text, echo)) return chunks;
  const json = concatChunks(chunks);
  const edits = findEchoedTools(json).flatMap((tools) => {
    const parsed = { tools: parseValue(tools) };
    const raw = new TextDecoder().decode(tools);
    if (!hasCredentials(parsed) && !hidesMembers(raw, parsed.tools)) return [];
    const clean = JSON.stringify(removeCredentials(parsed)["tools"]);
    return [{ value: tools, replacement: [new TextEncoder().encode(clean)] }];
  });
  return edits.length === 0 ? chunks : applyEdits(json, edits);
}

// Whether JSON has more members with credentials, or with tools, than its value shows: of two with the same name it shows the last. An escape can stand for a letter of a name.
function hidesMembers(json: string, value: unknown): boolean {
  return countNames(json) > countNames(JSON.stringify(value) ?? "");
}

function countNames(json: string): number {
  return json.match(/"(?:tools|authorization|headers|domain_secrets)"\s*:|\\u00[67]/g)?.length ?? 0;
}

// The parts that repeat the request.
function pickEcho(value: Record<string, unknown>): Record<string, unknown> {
  const { response } = value;
  const inner = isObject(response) ? { response: { tools: response["tools"] } } : {};
  return { tools: value["tools"], ...inner };
}

// In their order. A member can stand there twice, and none may keep its credentials.
function findEchoedTools(json: Uint8Array): Uint8Array[] {
  return scanMembers(json).flatMap(({ name, value }) => {
    if (name === "tools") return [value];
    if (name !== "response") return [];
    return scanMembers(value).flatMap((inner) => (inner.name === "tools" ? [inner.value] : []));
  });
}

/**
 * A copy without credentials.
 * @param value A request, or the part of a response that repeats one.
 */
export function removeCredentials(value: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    const isPlain = isCredential(value, name) && inner !== null && !isMasked(inner);
    return [name, isPlain ? REMOVED : removeNestedCredentials(inner)];
  });
  return Object.fromEntries(entries);
}

// What OpenAI has masked stays as it is, so that its bytes do.
function isMasked(value: unknown): boolean {
  const values = isObject(value) ? Object.values(value) : [value];
  return values.every((one) => one === MASKED || one === null);
}

function removeNestedCredentials(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(removeNestedCredentials);
  return isObject(value) ? removeCredentials(value) : value;
}

function truncateFields(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, truncateValue(inner)]),
  );
}

function truncateValue(value: unknown): unknown {
  if (typeof value === "string" && value.length > 2 * EXCERPT_LENGTH) {
    return cutText(value, EXCERPT_LENGTH);
  }
  if (Array.isArray(value)) return value.map(truncateValue);
  return isObject(value) ? truncateFields(value) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
