// Steps, shown as they go. Where one fails, what is done, what is not, and how to go on.

export type Step = {
  /** What it does, as an imperative. */
  title: string;
  /** Does it, and says what came of it. */
  run(): Promise<string>;
  /** What to do when it fails. */
  otherwise: string;
};

/** A step that failed: its message is the whole account. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/**
 * Takes steps one after another.
 * @param steps What to do.
 * @param say Shows a line.
 * @throws Stopped when one fails.
 */
export async function take(steps: Step[], say: (line: string) => void): Promise<void> {
  const done: string[] = [];
  for (const [index, step] of steps.entries()) {
    say(`[${index + 1}/${steps.length}] ${step.title}`);
    try {
      const outcome = await step.run();
      done.push(outcome);
      say(`      ${outcome}`);
    } catch (cause) {
      throw new Stopped(account(step, cause, done, steps.slice(index)), { cause });
    }
  }
}

function account(failed: Step, cause: unknown, done: string[], left: Step[]): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  return [
    `Failed: ${failed.title}`,
    indent(why),
    `Done:\n${indent(done.length === 0 ? "nothing" : done.join("\n"))}`,
    `Not done:\n${indent(left.map(({ title }) => title).join("\n"))}`,
    `Go on: ${failed.otherwise}`,
  ].join("\n");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
