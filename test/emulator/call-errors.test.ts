import { expect, test } from "vitest";
import * as z from "zod";
import { startEmulator } from "../../emulator/server.ts";
import { getCalls, startTestEmulator, toPythonInput, INTERPRETER_TOOL } from "./setup.ts";

const { client, callControl, runPython } = await startTestEmulator();

const ActualRun = z.object({
  calls: z.array(
    z.object({
      raised: z.boolean(),
      error: z.object({ message: z.string(), traceback: z.string() }).nullable(),
    }),
  ),
});

async function getActualCalls(id: string) {
  return ActualRun.parse(await callControl(`GET /responses/${id}`)).calls;
}

test("GET /_emulator/responses/:id says why a call has no outputs", async () => {
  const done = await runPython("def load():\n    import pandas\nload()");
  expect(getCalls(done)).toMatchObject([{ status: "completed", outputs: [] }]);
  expect(await getActualCalls(done.id)).toEqual([
    {
      raised: true,
      error: {
        message: "ModuleNotFoundError: No module named 'pandas'",
        traceback: [
          "Traceback (most recent call last):",
          '  File "<cell 1>", line 3, in <module>',
          "    load()",
          "    ~~~~^^",
          '  File "<cell 1>", line 2, in load',
          "    import pandas",
          "ModuleNotFoundError: No module named 'pandas'",
        ].join("\n"),
      },
    },
  ]);
});

test.each([
  ["1 +", "SyntaxError: invalid syntax"],
  ["raise SystemExit(3)", "SystemExit: 3"],
  [
    "class Odd(Exception):\n    def __str__(self): raise self\nraise Odd()",
    "Odd: <exception str() failed>",
  ],
  ["import os; os._exit(3)", "The interpreter crashed: Program terminated with exit(3)"],
])("GET /_emulator/responses/:id names the error of %j", async (code, message) => {
  const { id } = await runPython(code);
  const [call] = await getActualCalls(id);
  expect(call?.error?.message).toMatch(message);
});

test("GET /_emulator/responses/:id says that a call took too long", async () => {
  await callControl("PATCH /settings", { executionSeconds: 0.1 });
  const { id } = await runPython("while True: pass");
  await callControl("PATCH /settings", { executionSeconds: 30 });
  const [call] = await getActualCalls(id);
  expect(call?.error?.message).toBe("The call was terminated after executionSeconds, 0.1 s.");
});

test("GET /_emulator/responses/:id has no error for a call that raised none", async () => {
  const { id } = await runPython("print('fine')");
  expect(await getActualCalls(id)).toEqual([{ raised: false, error: null }]);
});

test("startEmulator logs the last line of each error", async () => {
  const lines: string[] = [];
  const settings = { interpreters: 0, runSeconds: 0 };
  const emulator = await startEmulator(settings, { log: (line) => lines.push(line) });
  const { id } = await client.withOptions({ baseURL: `${emulator.url}/v1` }).responses.create({
    model: "gpt-5.2",
    tools: [INTERPRETER_TOOL],
    input: toPythonInput("1 / 0"),
  });
  expect(lines).toEqual([`${id}: ZeroDivisionError: division by zero`]);
  await emulator.close();
});
