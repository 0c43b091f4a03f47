import { describe, expect, test } from "vitest";
import {
  getCalls,
  startTestEmulator,
  INTERPRETER_TOOL,
  INCLUDE_OUTPUTS,
  getOutputs,
  toPythonInput,
  pollUntil,
  toLogs,
} from "./setup.ts";

const { client, callControl, runPython } = await startTestEmulator({ interpreters: 2 });

const toPngUrl = (text: string) => `data:image/png;base64,${Buffer.from(text).toString("base64")}`;

async function runAndGetOutputs(...codes: string[]): Promise<unknown[]> {
  return getOutputs(await runCalls(codes));
}

async function runCalls(codes: string[], container?: string, previous?: string) {
  return client.responses.create({
    model: "gpt-5.2",
    include: [INCLUDE_OUTPUTS],
    input: toPythonInput(...codes),
    tools: [container === undefined ? INTERPRETER_TOOL : { type: "code_interpreter", container }],
    ...(previous === undefined ? {} : { previous_response_id: previous }),
  });
}

describe("Python", () => {
  test("keeps its variables from call to call in a container", async () => {
    expect(await runAndGetOutputs("x = 20", "x += 1", "x")).toEqual([[], [], [toLogs("21")]]);
  });

  test("keeps its variables for the next response in the same container", async () => {
    const first = await runCalls(["word = 'kept'"]);
    const container = getCalls(first)[0]?.container_id;
    expect(getOutputs(await runCalls(["word"], container))).toEqual([[toLogs("'kept'")]]);
    const next = await runCalls(["word"], undefined, first.id);
    expect(getCalls(next)).toMatchObject([
      { container_id: container, outputs: [toLogs("'kept'")] },
    ]);
  });

  test("hides one container's variables and files from another", async () => {
    await runAndGetOutputs("secret = 1; open('secret.txt', 'w').write('x');");
    const peek = "import os\n'secret' in globals(), os.listdir('/mnt/data')";
    const peeks = await Promise.all([
      runAndGetOutputs(peek),
      runAndGetOutputs(peek),
      runAndGetOutputs(peek),
    ]);
    expect(peeks).toEqual([1, 2, 3].map(() => [[toLogs("(False, [])")]]));
  });

  test("keeps stdout and stderr in order", async () => {
    const code = "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)";
    expect(await runAndGetOutputs(code)).toEqual([[toLogs("1\n2\n3\n")]]);
  });

  test("displays pictures as images and the rest as its repr", async () => {
    const code = [
      "from IPython.display import display, Image",
      "class Chart:",
      "    def _repr_png_(self):",
      "        return b'chart'",
      "display(Chart(), [1], Image(b'bytes'))",
    ].join("\n");
    expect(await runAndGetOutputs(code)).toEqual([
      [
        { type: "image", url: toPngUrl("chart") },
        toLogs("[1]\n"),
        { type: "image", url: toPngUrl("bytes") },
      ],
    ]);
  });

  test("supports await at the top level", async () => {
    expect(await runAndGetOutputs("import asyncio\nawait asyncio.sleep(0)\n'slept'")).toEqual([
      [toLogs("'slept'")],
    ]);
  });

  test.each([
    ["an undefined name", "nothing"],
    ["bad syntax", "1 +"],
    ["an exit", "import sys; sys.exit(1)"],
    ["a request for input", "input()"],
    ["endless recursion", "def f(): return f()\nf()"],
    ["too much memory", "x = bytearray(2**31)"],
    ["an import of JavaScript", "import js"],
  ])("returns no outputs of %s, and runs the next call", async (_, code) => {
    expect(await runAndGetOutputs(code, "1 + 1")).toEqual([[], [toLogs("2")]]);
  });
});

describe("a call that never returns", () => {
  test.each([
    ["a loop", "while True: pass"],
    ["a loop that catches everything", "while True:\n  try:\n    1\n  except BaseException: pass"],
    ["a sleep", "import time; time.sleep(600)"],
  ])("with %s times out, and the next call runs", async (_, code) => {
    await callControl("PATCH /settings", { executionSeconds: 0.1 });
    const endless = await runPython(code);
    await callControl("PATCH /settings", { executionSeconds: 30 });
    expect(getCalls(endless)).toMatchObject([{ outputs: [], status: "completed" }]);
    expect(await runAndGetOutputs("'alive'")).toEqual([[toLogs("'alive'")]]);
  });

  test("is terminated when its response is cancelled", async () => {
    const tools = [INTERPRETER_TOOL];
    const input = toPythonInput("while True: pass");
    const { id } = await client.responses.create({
      model: "gpt-5.2",
      tools,
      input,
      background: true,
    });
    await pollUntil(
      () => client.responses.retrieve(id),
      ({ status }) => status === "in_progress",
    );
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
    expect(await runAndGetOutputs("'alive'")).toEqual([[toLogs("'alive'")]]);
  });
});

describe("the scripted model", () => {
  const SCRIPT = [
    ["Run Python that prints exactly: BG_STDOUT_OK", ['print("BG_STDOUT_OK")']],
    ['It prints exactly: "two words"', ['print("two words")']],
    ["Hello, “world”", ['print("Hello, “world”")']],
    ["Do\n```python\n1\n2\n```\nand\n```py\n3\n```\n", ["1\n2", "3"]],
    ["emulator: no calls", []],
  ] as const;

  test.each(SCRIPT)("runs for %j the calls %j", async (input, codes) => {
    const done = await client.responses.create({
      model: "gpt-5.2",
      tools: [INTERPRETER_TOOL],
      input,
    });
    expect(getCalls(done).map(({ code }) => code)).toEqual(codes);
  });

  test("reads the last user message only", async () => {
    const done = await client.responses.create({
      model: "gpt-5.2",
      tools: [INTERPRETER_TOOL],
      input: [
        { role: "user", content: "first" },
        { role: "assistant", content: "answer" },
        { role: "user", content: [{ type: "input_text", text: "last" }] },
      ],
    });
    expect(getCalls(done).map(({ code }) => code)).toEqual(['print("last")']);
  });

  test("makes no call without the tool or with tool_choice none", async () => {
    const plain = await client.responses.create({ model: "gpt-5.2", input: "1" });
    const forbidden = await runPython("1", { tool_choice: "none" });
    expect([getCalls(plain), getCalls(forbidden)]).toEqual([[], []]);
    expect(plain.output_text).toMatch("scripted");
  });
});
