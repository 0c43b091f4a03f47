// Runs the labelled Python by which verdicts are measured: test/unit/record/verdict.test.ts takes the labels as given.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { CASES, type Case } from "../support/python-cases.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ executionSeconds: 10, runSeconds: 0 });
});
afterAll(() => emulator.close());

const Output = z.object({ output: z.array(z.looseObject({ type: z.string() })) });
const Call = z.looseObject({ outputs: z.array(z.unknown()) });

/** Whether Python really showed something. */
async function shows(code: string): Promise<boolean> {
  const answer = await fetch(`${emulator.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: "Bearer x", "content-type": "application/json" },
    body: JSON.stringify({
      model: "m",
      input: `\`\`\`python\n${code}\n\`\`\``,
      tools: [{ type: "code_interpreter", container: { type: "auto" } }],
      include: ["code_interpreter_call.outputs"],
    }),
  });
  const { output } = Output.parse(await answer.json());
  const call = Call.parse(output.find((item) => item.type === "code_interpreter_call"));
  return call.outputs.length > 0;
}

test("Python itself confirms every label that it can run", async () => {
  const runnable = CASES.filter((one) => one.needs === undefined);
  expect(runnable.length).toBeGreaterThan(45);
  const wrong: Case[] = [];
  for (const one of runnable) if ((await shows(one.code)) !== one.shown) wrong.push(one);
  expect(wrong).toEqual([]);
});
