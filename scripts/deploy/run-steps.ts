// Runs steps in order and prints each. When one fails, the error says what is done, what is not, and what to do next.

export type Step = {
  /** What the step does, as an imperative. */
  title: string;
  /** Does it, and gives a line about the result. */
  run(): Promise<string>;
  /** What the user should do when the step fails. */
  onFailure: string;
};

/** A step failed. The message is the whole report. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
}

/**
 * Runs steps one after another.
 * @param print Prints a line.
 * @throws StepFailed when one fails; the steps after it are not run.
 */
export async function runSteps(steps: Step[], print: (line: string) => void): Promise<void> {
  const results: string[] = [];
  for (const [index, step] of steps.entries()) {
    print(`[${index + 1}/${steps.length}] ${step.title}`);
    try {
      const result = await step.run();
      results.push(result);
      print(`      ${result}`);
    } catch (cause) {
      throw new StepFailed(toReport(step, cause, results, steps.slice(index)), { cause });
    }
  }
}

function toReport(failed: Step, cause: unknown, results: string[], notDone: Step[]): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  return [
    `Failed: ${failed.title}`,
    indent(why),
    `Done:\n${indent(results.length === 0 ? "nothing" : results.join("\n"))}`,
    `Not done:\n${indent(notDone.map(({ title }) => title).join("\n"))}`,
    `Next: ${failed.onFailure}`,
  ].join("\n");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
