/** Generates a text that a simple regular expression matches. */

const ESCAPES: Record<string, string> = {
  d: "1",
  w: "a",
  s: " ",
  D: "a",
  W: "-",
  S: "a",
  b: "",
  n: "\n",
  t: "\t",
};
/** What a negated class can give. */
const CANDIDATES = ["a", "1", "A", "-", "_", " ", ".", ":", "/"];

/** Understands literals, classes, groups, alternatives and quantifiers. Gives "emulator" for a pattern that it doesn't understand. */
export function generateMatch(pattern: string): string {
  const [text] = readAlternatives(pattern, 0);
  return isMatch(pattern, text) ? text : "emulator";
}

function isMatch(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

type Read = [text: string, end: number];

/** Reads up to the end of a group or the pattern; gives the first alternative. */
function readAlternatives(pattern: string, start: number): Read {
  const alternatives: string[] = [];
  let text = "";
  let position = start;
  while (position < pattern.length && pattern[position] !== ")") {
    if (pattern[position] === "|") {
      alternatives.push(text);
      text = "";
      position += 1;
      continue;
    }
    const [atom, afterAtom] = readAtom(pattern, position);
    const [count, afterCount] = readQuantifier(pattern, afterAtom);
    text += atom.repeat(count);
    position = afterCount;
  }
  return [alternatives[0] ?? text, position];
}

function readAtom(pattern: string, position: number): Read {
  const character = pattern[position] ?? "";
  if (character === "^" || character === "$") return ["", position + 1];
  if (character === ".") return ["a", position + 1];
  if (character === "[") return readClass(pattern, position);
  if (character === "(") {
    const prefix = /^\((?:\?(?::|<\w+>))?/.exec(pattern.slice(position))?.[0] ?? "(";
    const [text, end] = readAlternatives(pattern, position + prefix.length);
    return [text, end + 1];
  }
  if (character !== "\\") return [character, position + 1];
  const escaped = pattern[position + 1] ?? "";
  return [ESCAPES[escaped] ?? escaped, position + 2];
}

function readClass(pattern: string, position: number): Read {
  const source = /^\[(?:\\.|[^\]\\])*\]/.exec(pattern.slice(position))?.[0] ?? "[";
  const literal = /^\[(\\.|[^\\^])/.exec(source)?.[1] ?? "";
  const first = literal.startsWith("\\")
    ? (ESCAPES[literal.slice(1)] ?? literal.slice(1))
    : literal;
  const candidates = [first, ...CANDIDATES];
  const text = candidates.find(
    (candidate) => candidate !== "" && isMatch(`^${source}$`, candidate),
  );
  return [text ?? "", position + source.length];
}

/** The smallest count that a quantifier allows, but 1 where it allows that. */
function readQuantifier(pattern: string, position: number): [count: number, end: number] {
  const rest = pattern.slice(position);
  const [source, least, range, most] = /^\{(\d+)(,?)(\d*)\}\??/.exec(rest) ?? [];
  if (source !== undefined) {
    const minimum = Number(least);
    const canBeOne = range === "," && (most === "" || Number(most) >= 1);
    return [minimum === 0 && canBeOne ? 1 : minimum, position + source.length];
  }
  const simple = /^[*+?]\??/.exec(rest)?.[0] ?? "";
  return [1, position + simple.length];
}
