/**
 * The scripted model: decides by fixed rules what a language model would have decided by itself.
 */
export interface Script {
  /** The Python of each call, in order. */
  codes: string[];
  ending: Ending;
  /** The least seconds in progress, when the input asks for them. */
  minSeconds: number | null;
  /** Who sees its outputs in the background, as the setting `backgroundOutputs` says it. */
  outputsRule: string | null;
  /** Seconds after its end that it can be retrieved; null: as the settings say. */
  keptSeconds: number | null;
  /** Whether its container has expired when it ends. */
  expiresContainer: boolean;
}

export type Ending =
  | { status: "completed" }
  | { status: "failed"; code: string }
  | { status: "incomplete"; reason: string };

const PYTHON_BLOCK = /^[ \t]*```(?:python|py)[ \t]*\r?\n(.*?)^[ \t]*```[ \t]*$/gims;
const PRINTS_EXACTLY = /\bprints? exactly:?[ \t]*(\S.*)/i;
const NUMBER_PATTERN = String.raw`(\d+(?:\.\d+)?)`;

const DIRECTIVES = {
  fail: /\bemulator:\s*fail\b(?: with (\w+))?/i,
  incomplete: /\bemulator:\s*incomplete\b(?: with (\w+))?/i,
  run: new RegExp(String.raw`\bemulator:\s*run ${NUMBER_PATTERN} seconds?`, "i"),
  idle: /\bemulator:\s*no calls\b/i,
  outputs: new RegExp(
    String.raw`\bemulator:\s*outputs (empty|present|late ${NUMBER_PATTERN} seconds?)\b`,
    "i",
  ),
  kept: new RegExp(String.raw`\bemulator:\s*kept ${NUMBER_PATTERN} seconds?`, "i"),
  expires: /\bemulator:\s*container expires\b/i,
};

/** Reads the input's rules; `tool` says whether there is a code interpreter. */
export function parseScript(input: string, tool: boolean): Script {
  const seconds = DIRECTIVES.run.exec(input)?.[1];
  const kept = DIRECTIVES.kept.exec(input)?.[1];
  const calls = tool && !DIRECTIVES.idle.test(input);
  return {
    codes: calls ? parseCodes(removeDirectives(input)) : [],
    ending: parseEnding(input),
    minSeconds: seconds === undefined ? null : Number(seconds),
    outputsRule: parseOutputsRule(input),
    keptSeconds: kept === undefined ? null : Number(kept),
    expiresContainer: DIRECTIVES.expires.test(input),
  };
}

function parseEnding(input: string): Ending {
  const failed = DIRECTIVES.fail.exec(input);
  if (failed) return { status: "failed", code: failed[1] ?? "server_error" };
  const incomplete = DIRECTIVES.incomplete.exec(input);
  if (incomplete) return { status: "incomplete", reason: incomplete[1] ?? "max_output_tokens" };
  return { status: "completed" };
}

function parseOutputsRule(input: string): string | null {
  const [, word, delay] = DIRECTIVES.outputs.exec(input) ?? [];
  return delay === undefined ? (word?.toLowerCase() ?? null) : `late:${delay}`;
}

function removeDirectives(input: string): string {
  const rules = Object.values(DIRECTIVES);
  return rules.reduce((text, rule) => text.replace(rule, ""), input).trim();
}

function parseCodes(input: string): string[] {
  const blocks = [...input.matchAll(PYTHON_BLOCK)].map((match) => match[1] ?? "");
  if (blocks.length > 0) return blocks.map((block) => block.replace(/\r?\n$/, ""));
  const exactly = PRINTS_EXACTLY.exec(input)?.[1]?.trim();
  return [toPrintStatement(exactly === undefined ? input : unquote(exactly))];
}

function unquote(text: string): string {
  return /^(["'`])(.+)\1$/.exec(text)?.[2] ?? text;
}

function toPrintStatement(text: string): string {
  // Every JSON string is also a Python string.
  return `print(${JSON.stringify(text)})`;
}

/** Whether the assistant's message cites a file of that name. */
export function isCited(filename: string): boolean {
  return !/^[._]/.test(filename);
}

/** What the assistant says after its calls, before the files it cites. */
export function toReplyText(input: string, calls: number): string {
  if (calls === 0) return `The emulator's scripted model ran no Python. You said: ${input}`;
  const times = calls === 1 ? "one piece" : `${calls} pieces`;
  return `The emulator's scripted model ran ${times} of Python.`;
}
