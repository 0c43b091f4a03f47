import { describe, expect, test } from "vitest";
import {
  getCalls,
  startTestEmulator,
  INCLUDE_OUTPUTS,
  getOutputs,
  pollUntil,
  toLogs,
} from "./setup.ts";

const { client, callControl, runPython, waitForEnd } = await startTestEmulator({ interpreters: 1 });

const pngUrl: unknown = expect.stringMatching(/^data:image\/png;base64,iVBOR/);
const imageOutput = { type: "image", url: pngUrl };
const warningText: unknown = expect.stringContaining("hot");

const CASES = [
  ["printed text", "print(f'result={4 / 2}')", [toLogs("result=2.0\n")]],
  ["warnings", "import warnings; warnings.warn('hot')", [toLogs(warningText)]],
  ["the last expression's repr", "x = 78\nx + 1", [toLogs("79")]],
  ["print and expression as one output", "print('a')\n'b'", [toLogs("a\n'b'")]],
  [
    "a figure between logs",
    "print(1)\nimport matplotlib.pyplot as plt\nplt.show()\nprint(2)",
    [toLogs("1\n"), imageOutput, toLogs("2\n")],
  ],
  [
    "an image of a figure that is drawn with axes",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2]);\nplt.savefig('a.png')\nplt.show()",
    [imageOutput],
  ],
  ["nothing for a written file", "_ = open('note.txt', 'w').write('hi')", []],
  ["nothing for an expression with a semicolon", "1 + 1;", []],
  ["nothing for None", "None", []],
  ["nothing for code that raised", "print('before')\n1 / 0", []],
] as const;

describe("POST /v1/responses in the foreground", () => {
  test.each(CASES)("returns %s", async (_, code, shown) => {
    const done = await runPython(code);
    expect(getOutputs(done)).toEqual([shown]);
    expect(getCalls(done)[0]?.status).toBe("completed");
    const again = await client.responses.retrieve(done.id, { include: [INCLUDE_OUTPUTS] });
    expect(again.output).toEqual(done.output);
  });

  test("returns null without an include of outputs", async () => {
    const done = await runPython("print(1)", { include: [] });
    expect(getOutputs(done)).toEqual([null]);
    expect(getOutputs(await client.responses.retrieve(done.id))).toEqual([null]);
  });
});

describe("GET /v1/responses/:id of a background run", () => {
  test("returns code and container, but empty outputs", async () => {
    const done = await waitForEnd((await runPython("print(1)", { background: true })).id);
    expect(getCalls(done)).toMatchObject([{ code: "print(1)", outputs: [] }]);
    expect(getCalls(done)[0]?.container_id).toMatch(/^cntr_/);
    expect(getOutputs(await client.responses.retrieve(done.id))).toEqual([null]);
  });

  test("returns outputs while backgroundOutputs is present", async () => {
    const done = await waitForEnd((await runPython("print(1)", { background: true })).id);
    await callControl("PATCH /settings", { backgroundOutputs: "present" });
    expect(getOutputs(await waitForEnd(done.id))).toEqual([[toLogs("1\n")]]);
    await callControl("PATCH /settings", { backgroundOutputs: "empty" });
    expect(getOutputs(await waitForEnd(done.id))).toEqual([[]]);
  });

  test("returns outputs after the delay of backgroundOutputs late", async () => {
    await callControl("PATCH /settings", { backgroundOutputs: "late:0.5" });
    const done = await waitForEnd((await runPython("print(1)", { background: true })).id);
    const late = await pollUntil(
      () => waitForEnd(done.id),
      (answer) => getCalls(answer).every((call) => JSON.stringify(call.outputs) !== "[]"),
    );
    expect(getOutputs(late)).toEqual([[toLogs("1\n")]]);
    await callControl("PATCH /settings", { backgroundOutputs: "empty" });
  });
});

test("POST /v1/responses returns a whole output of 24 MiB", async () => {
  const done = await runPython("print('x' * (24 * 2**20))");
  expect(JSON.stringify(getOutputs(done))).toHaveLength(
    24 * 2 ** 20 + '[[{"type":"logs","logs":"\\n"}]]'.length,
  );
});
