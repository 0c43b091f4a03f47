import { describe, expect, test } from "vitest";
import { calls, emulate, INTERPRETER, OUTPUTS, outputs, python, until } from "./setup.ts";

const { client, control, run } = await emulate({ interpreters: 2 });

const url = (text: string) => `data:image/png;base64,${Buffer.from(text).toString("base64")}`;
const logs = (text: string) => ({ type: "logs", logs: text });

async function shown(...codes: string[]): Promise<unknown[]> {
  return outputs(await notebook(codes));
}

async function notebook(codes: string[], container?: string, previous?: string) {
  return client.responses.create({
    model: "gpt-5.2",
    include: [OUTPUTS],
    input: python(...codes),
    tools: [container === undefined ? INTERPRETER : { type: "code_interpreter", container }],
    ...(previous === undefined ? {} : { previous_response_id: previous }),
  });
}

describe("Python", () => {
  test("keeps its names from call to call of a container", async () => {
    expect(await shown("x = 20", "x += 1", "x")).toEqual([[], [], [logs("21")]]);
  });

  test("keeps its names for the next response in the same container", async () => {
    const first = await notebook(["word = 'kept'"]);
    const container = calls(first)[0]?.container_id;
    expect(outputs(await notebook(["word"], container))).toEqual([[logs("'kept'")]]);
    const next = await notebook(["word"], undefined, first.id);
    expect(calls(next)).toMatchObject([{ container_id: container, outputs: [logs("'kept'")] }]);
  });

  test("hides one container's names and files from another", async () => {
    await shown("secret = 1; open('secret.txt', 'w').write('x');");
    const peek = "import os\n'secret' in globals(), os.listdir('/mnt/data')";
    const peeks = await Promise.all([shown(peek), shown(peek), shown(peek)]);
    expect(peeks).toEqual([1, 2, 3].map(() => [[logs("(False, [])")]]));
  });

  test("keeps stdout and stderr in order", async () => {
    const code = "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)";
    expect(await shown(code)).toEqual([[logs("1\n2\n3\n")]]);
  });

  test("displays pictures as pictures and the rest as its repr", async () => {
    const code = [
      "from IPython.display import display, Image",
      "class Chart:",
      "    def _repr_png_(self):",
      "        return b'chart'",
      "display(Chart(), [1], Image(b'bytes'))",
    ].join("\n");
    expect(await shown(code)).toEqual([
      [{ type: "image", url: url("chart") }, logs("[1]\n"), { type: "image", url: url("bytes") }],
    ]);
  });

  test("may await at the top level", async () => {
    expect(await shown("import asyncio\nawait asyncio.sleep(0)\n'slept'")).toEqual([
      [logs("'slept'")],
    ]);
  });

  test.each([
    ["a name that isn't there", "nothing"],
    ["bad syntax", "1 +"],
    ["leaving", "import sys; sys.exit(1)"],
    ["asking for input", "input()"],
    ["endless recursion", "def f(): return f()\nf()"],
    ["too much memory", "x = bytearray(2**31)"],
    ["reaching for JavaScript", "import js"],
  ])("shows nothing of %s, and works on", async (_, code) => {
    expect(await shown(code, "1 + 1")).toEqual([[], [logs("2")]]);
  });
});

describe("a call that takes too long", () => {
  test.each([
    ["a loop", "while True: pass"],
    ["a loop that catches everything", "while True:\n  try:\n    1\n  except BaseException: pass"],
    ["a sleep", "import time; time.sleep(600)"],
  ])("%s is ended, and the next call works", async (_, code) => {
    await control("PATCH /settings", { executionSeconds: 0.1 });
    const endless = await run(code);
    await control("PATCH /settings", { executionSeconds: 30 });
    expect(calls(endless)).toMatchObject([{ outputs: [], status: "completed" }]);
    expect(await shown("'alive'")).toEqual([[logs("'alive'")]]);
  });

  test("is ended when its response is cancelled", async () => {
    const tools = [INTERPRETER];
    const input = python("while True: pass");
    const { id } = await client.responses.create({
      model: "gpt-5.2",
      tools,
      input,
      background: true,
    });
    await until(
      () => client.responses.retrieve(id),
      ({ status }) => status === "in_progress",
    );
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
    expect(await shown("'alive'")).toEqual([[logs("'alive'")]]);
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

  test.each(SCRIPT)("%j", async (input, codes) => {
    const done = await client.responses.create({ model: "gpt-5.2", tools: [INTERPRETER], input });
    expect(calls(done).map(({ code }) => code)).toEqual(codes);
  });

  test("reads what the user said last", async () => {
    const done = await client.responses.create({
      model: "gpt-5.2",
      tools: [INTERPRETER],
      input: [
        { role: "user", content: "first" },
        { role: "assistant", content: "answer" },
        { role: "user", content: [{ type: "input_text", text: "last" }] },
      ],
    });
    expect(calls(done).map(({ code }) => code)).toEqual(['print("last")']);
  });

  test("makes no call without the tool, nor when a call is forbidden", async () => {
    const plain = await client.responses.create({ model: "gpt-5.2", input: "1" });
    const forbidden = await run("1", { tool_choice: "none" });
    expect([calls(plain), calls(forbidden)]).toEqual([[], []]);
    expect(plain.output_text).toMatch("scripted");
  });
});
