import { findCodeBlocks } from "./code-blocks.ts";

/** The scripted model's fixed rules: what it reads in the last user message of a request that no script matches. */
export interface Directives {
  /** Whether the model calls no tool, whatever the request says. */
  forbidsCalls: boolean;
  /** The Python of each call, in order. */
  codes: string[];
  ending: Ending;
  /** The minimum seconds in progress; null: the setting `runSeconds`. */
  minSeconds: number | null;
  /** Replaces the setting `backgroundOutputs`, unless it is null. */
  outputsRule: string | null;
  /** Seconds after its end that the response can be retrieved; null: as the settings say. */
  keptSeconds: number | null;
  /** Whether the run's end expires its container. */
  expiresContainer: boolean;
}

export type Ending =
  | { status: "completed" }
  | { status: "failed"; code: string }
  | { status: "incomplete"; reason: string };

const PRINTS_EXACTLY = /\bprints? exactly:?[ \t]*(\S.*)/i;
const NUMBER_PATTERN = String.raw`(\d+(?:\.\d+)?)`;

const DIRECTIVES = {
  fail: /\bemulator:\s*fail\b(?: with (\w+))?/i,
  incomplete: /\bemulator:\s*incomplete\b(?: with (\w+))?/i,
  run: new RegExp(String.raw`\bemulator:\s*run ${NUMBER_PATTERN} seconds?`, "i"),
  noCalls: /\bemulator:\s*no calls\b/i,
  outputs: new RegExp(
    String.raw`\bemulator:\s*outputs (empty|present|late ${NUMBER_PATTERN} seconds?)\b`,
    "i",
  ),
  kept: new RegExp(String.raw`\bemulator:\s*kept ${NUMBER_PATTERN} seconds?`, "i"),
  containerExpires: /\bemulator:\s*container expires\b/i,
};

/** Parses the directives of the input. Without a code interpreter tool there are no calls. */
export function parseDirectives(input: string, hasInterpreterTool: boolean): Directives {
  const forbidsCalls = DIRECTIVES.noCalls.test(input);
  const callsPython = hasInterpreterTool && !forbidsCalls;
  return {
    forbidsCalls,
    codes: callsPython ? parseCodes(removeDirectives(input)) : [],
    ending: parseEnding(input),
    minSeconds: parseSeconds(DIRECTIVES.run, input),
    outputsRule: parseOutputsRule(input),
    keptSeconds: parseSeconds(DIRECTIVES.kept, input),
    expiresContainer: DIRECTIVES.containerExpires.test(input),
  };
}

function parseSeconds(directive: RegExp, input: string): number | null {
  const seconds = directive.exec(input)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

function parseEnding(input: string): Ending {
  const failed = DIRECTIVES.fail.exec(input);
  if (failed) return { status: "failed", code: failed[1] ?? "server_error" };
  const incomplete = DIRECTIVES.incomplete.exec(input);
  if (incomplete) return { status: "incomplete", reason: incomplete[1] ?? "max_output_tokens" };
  return { status: "completed" };
}

function parseOutputsRule(input: string): string | null {
  const [, rule, delaySeconds] = DIRECTIVES.outputs.exec(input) ?? [];
  return delaySeconds === undefined ? (rule?.toLowerCase() ?? null) : `late:${delaySeconds}`;
}

function removeDirectives(input: string): string {
  const directives = Object.values(DIRECTIVES);
  return directives.reduce((text, directive) => text.replace(directive, ""), input).trim();
}

function parseCodes(input: string): string[] {
  const codes = findCodeBlocks(input);
  if (codes.length > 0) return codes;
  const exactText = PRINTS_EXACTLY.exec(input)?.[1]?.trim();
  return [toPrintStatement(exactText === undefined ? input : removeQuotes(exactText))];
}

function removeQuotes(text: string): string {
  return /^(["'`])(.+)\1$/.exec(text)?.[2] ?? text;
}

function toPrintStatement(text: string): string {
  // Each JSON string is also a Python string.
  return `print(${JSON.stringify(text)})`;
}

/** Whether the assistant's message cites a file of this name. */
export function isCited(filename: string): boolean {
  return !/^[._]/.test(filename);
}

/** The text of the assistant's message, without its citations. */
export function toReplyText(input: string, callCount: number): string {
  if (callCount === 0) return `The emulator's scripted model ran no Python. You said: ${input}`;
  const pieces = callCount === 1 ? "one piece" : `${callCount} pieces`;
  return `The emulator's scripted model ran ${pieces} of Python.`;
}
