// The output of a child process: all of it, or one line as soon as it is printed.
import type { ChildProcess } from "node:child_process";
import { pollUntil } from "./retry.ts";

const POLL_INTERVAL_MS = 20;

export type ProcessOutput = {
  /** Everything printed so far, on both streams. */
  text(): string;
  /**
   * Resolves with the match as soon as the output matches.
   * @throws When the process ends without a match, or after `timeoutMs`. The message ends with the output.
   */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
};

/**
 * Collects what a child process prints. A stream that isn't piped adds nothing.
 * @param child A process that has just been started.
 * @param name What error messages call the process.
 */
export function captureOutput(child: ChildProcess, name: string): ProcessOutput {
  let text = "";
  let isClosed = false;
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => (text += String(chunk)));
  child.once("close", () => (isClosed = true));
  const match = (pattern: RegExp) => {
    const found = pattern.exec(text);
    if (found === null && isClosed) throw new Error(`it ended before it printed ${pattern}.`);
    return found;
  };
  return {
    text: () => text,
    async waitFor(pattern, timeoutMs = Infinity) {
      try {
        return await pollUntil(() => match(pattern), { intervalMs: POLL_INTERVAL_MS, timeoutMs });
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${name}: ${why}\n${text.trim()}`, { cause });
      }
    },
  };
}
