// What `npm start` prints of a run: its events with the seconds since its start, its calls, its verdict.
import { styleText } from "node:util";
import type { ResponseRecord } from "../../src/record/schema.ts";
import { RUN_VERDICTS } from "../../src/views/text/labels.ts";

/** As wide as the longest channel. */
const LABEL_WIDTH = 12;

export type EventPrinter = (label: string, detail?: string) => void;

/** Prints events, each with the seconds since this call. */
export function createEventPrinter(): EventPrinter {
  const startedAt = Date.now();
  return (label, detail = "") => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
    const text = `${label.padEnd(LABEL_WIDTH)} ${detail}`.trimEnd();
    console.log(`${styleText("dim", `${seconds} s`)}  ${text}`);
  };
}

export function printTitle(title: string): void {
  console.log(`\n${styleText("bold", title)}\n`);
}

/** Prints a run's code and outputs, under the name of where it ran. */
export function printCalls(
  where: string,
  calls: { code: string | null; outputs: unknown[] | null }[],
): void {
  console.log(`\n  ${where}`);
  if (calls.length === 0) console.log("    no calls");
  for (const call of calls) {
    console.log(`    code     ${indent(call.code ?? "(none)")}`);
    console.log(`    outputs  ${JSON.stringify(call.outputs)}`);
  }
}

export function printVerdict({ verdict, error }: ResponseRecord): void {
  const [meaning] = RUN_VERDICTS[verdict].meaning.split(/(?<=\.) /);
  console.log(`\n  Verdict: ${styleText("bold", verdict)}. ${meaning ?? ""}`);
  if (error !== null) console.log(`  Error: ${error.code}: ${error.message}`);
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n             ");
}
