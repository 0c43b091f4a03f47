// The notebooks of test/support/notebooks, with what a real kernel showed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "notebooks");

/** A call, and whether the kernel showed something for it. */
export type LabelledCall = { code: string; hasOutput: boolean };

/** Calls that a kernel ran one after the other. */
export type LabelledNotebook = {
  label: string;
  /** Calls of an earlier response ran in the same kernel; they are not among `calls`. */
  hasEarlier: boolean;
  calls: LabelledCall[];
};

/** All notebooks, in the order of their files. */
export const LABELLED_NOTEBOOKS: readonly LabelledNotebook[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".txt"))
  .toSorted()
  .flatMap((name) => readFileSync(join(FOLDER, name), "utf8").split(/^(?=#### )/m))
  .map(parseNotebook);

function parseNotebook(text: string): LabelledNotebook {
  const [title = "", ...calls] = text.split(/^(?=###(?: |$))/m);
  const labelled = calls.filter((call) => !call.startsWith("### earlier\n"));
  return {
    label: title.slice("#### ".length).trim(),
    hasEarlier: labelled.length < calls.length,
    calls: labelled.map(parseCall),
  };
}

function parseCall(text: string): LabelledCall {
  const end = text.indexOf("\n");
  const answer = /^### shows (\w+)/.exec(text.slice(0, end))?.[1];
  if (answer === undefined) throw new Error(`A call has no label: ${text}`);
  return { code: text.slice(end + 1).replace(/\n$/, ""), hasOutput: answer !== "nothing" };
}
