import { describe, expect, test } from "vitest";
import { calls, emulate, OUTPUTS, outputs, until } from "./setup.ts";

const { client, control, run, end } = await emulate({ interpreters: 1 });

const logs = (text: unknown) => ({ type: "logs", logs: text });
const png: unknown = expect.stringMatching(/^data:image\/png;base64,iVBOR/);
const image = { type: "image", url: png };
const warned: unknown = expect.stringContaining("hot");

const ROWS = [
  ["what was printed", "print(f'result={4 / 2}')", [logs("result=2.0\n")]],
  ["warnings", "import warnings; warnings.warn('hot')", [logs(warned)]],
  ["the last expression's repr", "x = 78\nx + 1", [logs("79")]],
  ["print and expression as one", "print('a')\n'b'", [logs("a\n'b'")]],
  [
    "a figure among logs",
    "print(1)\nimport matplotlib.pyplot as plt\nplt.show()\nprint(2)",
    [logs("1\n"), image, logs("2\n")],
  ],
  [
    "a picture of a figure that is drawn with axes",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2]);\nplt.savefig('a.png')\nplt.show()",
    [image],
  ],
  ["nothing of a file written", "_ = open('note.txt', 'w').write('hi')", []],
  ["nothing of an expression with a semicolon", "1 + 1;", []],
  ["nothing of None", "None", []],
  ["nothing of code that raised", "print('before')\n1 / 0", []],
] as const;

describe("a foreground response", () => {
  test.each(ROWS)("shows %s", async (_, code, shown) => {
    const done = await run(code);
    expect(outputs(done)).toEqual([shown]);
    expect(calls(done)[0]?.status).toBe("completed");
    const again = await client.responses.retrieve(done.id, { include: [OUTPUTS] });
    expect(again.output).toEqual(done.output);
  });

  test("shows null to who did not ask for outputs", async () => {
    const done = await run("print(1)", { include: [] });
    expect(outputs(done)).toEqual([null]);
    expect(outputs(await client.responses.retrieve(done.id))).toEqual([null]);
  });
});

describe("a background response", () => {
  test("keeps code and container, and has empty outputs", async () => {
    const done = await end((await run("print(1)", { background: true })).id);
    expect(calls(done)).toMatchObject([{ code: "print(1)", outputs: [] }]);
    expect(calls(done)[0]?.container_id).toMatch(/^cntr_/);
    expect(outputs(await client.responses.retrieve(done.id))).toEqual([null]);
  });

  test("has its outputs when the setting says so, even later", async () => {
    const done = await end((await run("print(1)", { background: true })).id);
    await control("PATCH /settings", { backgroundOutputs: "present" });
    expect(outputs(await end(done.id))).toEqual([[logs("1\n")]]);
    await control("PATCH /settings", { backgroundOutputs: "empty" });
    expect(outputs(await end(done.id))).toEqual([[]]);
  });

  test("has its outputs late when the setting says so", async () => {
    await control("PATCH /settings", { backgroundOutputs: "late:0.5" });
    const done = await end((await run("print(1)", { background: true })).id);
    const late = await until(
      () => end(done.id),
      (answer) => calls(answer).every((call) => JSON.stringify(call.outputs) !== "[]"),
    );
    expect(outputs(late)).toEqual([[logs("1\n")]]);
    await control("PATCH /settings", { backgroundOutputs: "empty" });
  });
});

test("an output of 24 MiB comes through whole", async () => {
  const done = await run("print('x' * (24 * 2**20))");
  expect(JSON.stringify(outputs(done))).toHaveLength(
    24 * 2 ** 20 + '[[{"type":"logs","logs":"\\n"}]]'.length,
  );
});
