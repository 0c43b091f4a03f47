// Says where a text stops being JSON. Browsers and the Worker word the errors of JSON.parse differently, and some give no place.

const WHITE_SPACE = /[ \t\n\r]*/y;
/** A mark, a string, or another scalar. A string or a scalar that it finds can be wrong inside. */
const TOKEN = /([{}[\],:])|"[^"\\]*(?:\\[^][^"\\]*)*"|[^\s{}[\],:"]+/y;

/** @typedef {"value" | "value or ]" | "name" | "name or }" | "colon" | "comma" | "end"} Expected */

/** @type {Record<Exclude<Expected, "comma">, string>} */
const RULES = {
  value: "a value must stand here, such as a string in double quotes, a number or true",
  "value or ]": "a value or ] must stand here",
  name: "a name in double quotes must stand here",
  "name or }": "a name in double quotes or } must stand here",
  colon: "a colon must follow the name",
  end: "nothing may follow the end of the JSON",
};

/**
 * Describes what is wrong in a text that JSON.parse refuses.
 * @param {string} json
 * @returns {string} Line and column, both from 1, and what must stand there.
 */
export function describeJsonError(json) {
  const { at, rule } = findError(json);
  const lines = json.slice(0, at).split("\n");
  const column = Array.from(lines.at(-1) ?? "").length + 1;
  return `Line ${lines.length}, column ${column}: ${rule}.`;
}

/** @param {string} json */
function findError(json) {
  /** The brackets that close what is open, the innermost last. @type {string[]} */
  const closing = [];
  /** @type {Expected | null} */
  let expected = "value";
  let at = 0;
  for (;;) {
    const { start, end, kind } = readToken(json, at);
    const next = advance(expected, kind, closing);
    if (next === null) return { at: start, rule: toRule(expected, json.slice(start), closing) };
    expected = next;
    at = end;
  }
}

/**
 * @param {string} json
 * @param {number} at
 * @returns {{ start: number, end: number, kind: string }} `kind` is the mark itself, "string", "scalar", or "" when there is none, or a wrong one.
 */
function readToken(json, at) {
  WHITE_SPACE.lastIndex = at;
  const start = at + (WHITE_SPACE.exec(json)?.[0].length ?? 0);
  TOKEN.lastIndex = start;
  const [token = "", mark] = TOKEN.exec(json) ?? [];
  return { start, end: start + token.length, kind: mark ?? toKind(token) };
}

/** @param {string} token */
function toKind(token) {
  try {
    JSON.parse(token);
  } catch {
    return "";
  }
  return token.startsWith('"') ? "string" : "scalar";
}

/**
 * @param {Expected} expected
 * @param {string} kind Of the token that stands there.
 * @param {string[]} closing Is changed by brackets.
 * @returns {Expected | null} What is expected after the token; null when it may not stand there.
 */
function advance(expected, kind, closing) {
  const isValue = expected === "value" || expected === "value or ]";
  const isName = expected === "name" || expected === "name or }";
  if (isName && kind === "string") return "colon";
  if (expected === "colon") return kind === ":" ? "value" : null;
  if (isValue && (kind === "string" || kind === "scalar")) return afterValue(closing);
  if (isValue && (kind === "{" || kind === "[")) {
    closing.push(kind === "{" ? "}" : "]");
    return kind === "{" ? "name or }" : "value or ]";
  }
  if (expected === "comma" && kind === ",") return closing.at(-1) === "}" ? "name" : "value";
  const mayClose = expected === "comma" || expected === "value or ]" || expected === "name or }";
  if (!mayClose || kind !== closing.at(-1)) return null;
  closing.pop();
  return afterValue(closing);
}

/**
 * @param {string[]} closing
 * @returns {Expected}
 */
function afterValue(closing) {
  return closing.length === 0 ? "end" : "comma";
}

/**
 * @param {Expected} expected
 * @param {string} rest The text from the error on.
 * @param {string[]} closing
 */
function toRule(expected, rest, closing) {
  if (rest.startsWith("'")) return "strings and names stand in double quotes";
  const isValueOrName = expected !== "comma" && expected !== "colon" && expected !== "end";
  if (isValueOrName && rest.startsWith('"')) {
    return "this string has no closing quote, or it has a line break or an unknown escape";
  }
  return expected === "comma" ? `a comma or ${closing.at(-1)} must stand here` : RULES[expected];
}
