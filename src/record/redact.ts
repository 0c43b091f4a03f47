// A request as it may be kept: without credentials, and no longer than a Workflow's params allow.

/** Credentials that a request can carry, by the name they stand under. */
const SECRETS = new Set(["domain_secrets"]);
/** The same in a tool of the type `mcp`. */
const MCP_SECRETS = new Set(["authorization", "headers"]);
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
  const clean = withoutSecrets(request);
  if (JSON.stringify(clean).length <= LARGEST) return clean;
  const short = shortened(clean);
  if (JSON.stringify(short).length <= LARGEST) return short;
  return { model: clean["model"], note: "The request was too large to be kept." };
}

/**
 * Whether a request carries credentials.
 * @param request Create parameters.
 */
export function hasCredentials(request: Record<string, unknown>): boolean {
  return JSON.stringify(request) !== JSON.stringify(withoutSecrets(request));
}

/**
 * A copy without credentials.
 * @param value A request, or a response as far as it repeats one.
 */
export function withoutSecrets(value: Record<string, unknown>): Record<string, unknown> {
  const mcp = value["type"] === "mcp";
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    const secret = SECRETS.has(name) || (mcp && MCP_SECRETS.has(name));
    return [name, secret && inner !== null ? REMOVED : cleaned(inner)];
  });
  return Object.fromEntries(entries);
}

function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  return isObject(value) ? withoutSecrets(value) : value;
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
