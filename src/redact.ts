// A request as it may be kept: without credentials, and no longer than a Workflow's params allow.

/** Credentials that a request can carry, by the name they stand under. */
const SECRETS = new Set(["domain_secrets", "authorization", "headers", "api_key", "server_auth"]);
const REMOVED = "[removed]";
/** Characters of JSON that are kept of a request. Params hold 1 MiB, and a character can take three bytes. */
const LARGEST = 128 * 1024;
/** Characters left of a long text when a request is larger than that. */
const EXCERPT = 200;

/**
 * A copy of a request without its credentials; long texts are cut when it is large.
 * @param request What was sent to OpenAI.
 */
export function redact(request: Record<string, unknown>): Record<string, unknown> {
  const clean = Object.fromEntries(
    Object.entries(request).map(([name, value]) => [name, cleaned(name, value)]),
  );
  if (JSON.stringify(clean).length <= LARGEST) return clean;
  const short = shortened(clean);
  if (JSON.stringify(short).length <= LARGEST) return short;
  return { model: clean["model"], note: "The request was too large to be kept." };
}

function cleaned(name: string, value: unknown): unknown {
  if (SECRETS.has(name) && value !== null) return REMOVED;
  if (Array.isArray(value)) return value.map((item) => cleaned("", item));
  return isObject(value) ? redactObject(value) : value;
}

function redactObject(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, cleaned(name, inner)]),
  );
}

function shortened(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
}

function shorten(value: unknown): unknown {
  if (typeof value === "string" && value.length > 2 * EXCERPT) {
    return `${value.slice(0, EXCERPT)}… (${value.length - EXCERPT} more characters)`;
  }
  if (Array.isArray(value)) return value.map(shorten);
  return isObject(value) ? shortened(value) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
