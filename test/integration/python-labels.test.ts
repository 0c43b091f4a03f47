// Confirms the labels of test/support/labelled-code.ts with real Python.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { LABELLED_CODES, type LabelledCode } from "../support/labelled-code.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ executionSeconds: 10, runSeconds: 0 });
});
afterAll(() => emulator.close());

const Output = z.object({ output: z.array(z.looseObject({ type: z.string() })) });
const Call = z.looseObject({ outputs: z.array(z.unknown()) });

/** Whether running a code gives outputs. */
async function hasOutput(code: string): Promise<boolean> {
  const answer = await fetch(`${emulator.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: "Bearer x", "content-type": "application/json" },
    body: JSON.stringify({
      model: "m",
      input: toPythonInput(code),
      tools: CODE_INTERPRETER,
      include: ["code_interpreter_call.outputs"],
    }),
  });
  const { output } = Output.parse(await answer.json());
  const call = Call.parse(output.find((item) => item.type === "code_interpreter_call"));
  return call.outputs.length > 0;
}

// Each code has a container of its own, and with it an interpreter that must start.
test("Python confirms every label that it can run", { timeout: 180_000 }, async () => {
  const runnable = LABELLED_CODES.filter(({ needs }) => needs === undefined);
  expect(runnable.length).toBeGreaterThan(45);
  const wrong: LabelledCode[] = [];
  for (const labelled of runnable) {
    if ((await hasOutput(labelled.code)) !== labelled.hasOutput) wrong.push(labelled);
  }
  expect(wrong).toEqual([]);
});
