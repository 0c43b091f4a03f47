// What stands in a kept request in place of what is not stored. A request that has it is not sent again. Pure.

/** Fields that hold credentials. */
const CREDENTIAL_FIELDS = new Set(["domain_secrets"]);
/** Fields that hold credentials in a tool of type `mcp`. */
const MCP_CREDENTIAL_FIELDS = new Set(["authorization", "headers"]);
/** Stands in place of credentials. */
export const REMOVED = "[removed]";
/** Is the `note` of a request of which only the model is kept. */
export const TOO_LARGE = "The request was too large to be stored.";
/** Ends a text of which only the beginning is kept. */
const CUT = /… \(\d+ more characters, not kept by response-recorder\)/;

/** A place of a request where something is missing. */
export type Placeholder = {
  /** Such as `tools[0].headers`. */
  path: string;
  kind: "removed" | "cut" | "too_large";
  /** The MCP server whose credentials are missing. */
  server?: string;
};

const RULES: Record<Placeholder["kind"], string> = {
  removed: `has "${REMOVED}" in place of credentials, which the recorder does not store. Put them there.`,
  cut: "has only the beginning of its text, because the request was too large to be stored whole. Put the whole text there.",
  too_large: "says that the request was too large to be stored. Write its parameters in its place.",
};

/** What is missing, and what to do about it. */
export function describePlaceholder({ path, kind, server }: Placeholder): string {
  const place = server === undefined ? path : `${path}, of the MCP server ${server},`;
  return `${place} ${RULES[kind]}`;
}

/** Whether a member of an object holds credentials. */
export function isCredential(object: Record<string, unknown>, name: string): boolean {
  if (CREDENTIAL_FIELDS.has(name)) return true;
  return object["type"] === "mcp" && MCP_CREDENTIAL_FIELDS.has(name);
}

/** The beginning of a text, and how much is missing. */
export function cutText(text: string, length: number): string {
  return `${text.slice(0, length)}… (${text.length - length} more characters, not kept by response-recorder)`;
}

/** Whether only the model of a request was kept. */
export function isTooLarge(request: Record<string, unknown>): boolean {
  return request["note"] === TOO_LARGE;
}

/** Every place of a request where something is missing. */
export function findPlaceholders(request: Record<string, unknown>): Placeholder[] {
  if (isTooLarge(request)) return [{ path: "note", kind: "too_large" }];
  return findIn(request, "");
}

function findIn(value: unknown, path: string): Placeholder[] {
  if (typeof value === "string") return CUT.test(value) ? [{ path, kind: "cut" }] : [];
  if (Array.isArray(value)) {
    return value.flatMap((inner: unknown, index) => findIn(inner, `${path}[${index}]`));
  }
  return isObject(value) ? findInObject(value, path) : [];
}

function findInObject(object: Record<string, unknown>, path: string): Placeholder[] {
  return Object.entries(object).flatMap(([name, inner]): Placeholder[] => {
    const innerPath = path === "" ? name : `${path}.${name}`;
    const isMissing = isCredential(object, name) && hasRemoved(inner);
    if (!isMissing) return findIn(inner, innerPath);
    const server = object["server_label"];
    const named = typeof server === "string" ? { server } : {};
    return [{ path: innerPath, kind: "removed", ...named }];
  });
}

function hasRemoved(value: unknown): boolean {
  return (JSON.stringify(value) ?? "").includes(REMOVED);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
