import { describe, expect, test } from "vitest";
import {
  getCalls,
  getOutputs,
  INCLUDE_OUTPUTS,
  pollUntil,
  startTestEmulator,
  toLogs,
  toPythonInput,
} from "./setup.ts";

const { client, callControl } = await startTestEmulator();

/** Runs code in a container; in the background it only starts the run. */
function runIn(container: string, code: string, background = false) {
  return client.responses.create({
    model: "gpt-5.2",
    background,
    include: [INCLUDE_OUTPUTS],
    input: toPythonInput(code),
    tools: [{ type: "code_interpreter", container }],
  });
}

async function createContainers(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `lab ${index}`);
  const containers = await Promise.all(names.map((name) => client.containers.create({ name })));
  return containers.map(({ id }) => id);
}

async function cancelWhileRunning(container: string): Promise<void> {
  const { id } = await runIn(container, "while True: pass", true);
  await pollUntil(
    () => client.responses.retrieve(id),
    ({ status }) => status === "in_progress",
  );
  await client.responses.cancel(id);
}

async function disconnectWhileRunning(container: string): Promise<void> {
  const abort = new AbortController();
  const input = toPythonInput("open('started', 'w').write('x')", "while True: pass");
  const stream = await client.responses.create(
    {
      model: "gpt-5.2",
      stream: true,
      input,
      tools: [{ type: "code_interpreter", container }],
    },
    { signal: abort.signal },
  );
  for await (const { type } of stream) {
    if (type === "response.code_interpreter_call.completed") break;
  }
  abort.abort();
}

async function timeOut(container: string): Promise<void> {
  await callControl("PATCH /settings", { executionSeconds: 0.1 });
  await runIn(container, "while True: pass");
  await callControl("PATCH /settings", { executionSeconds: 30 });
}

const BREAKAGE = `
import builtins, json, os, sys
open("/tmp/leak", "w").write("x")
os.environ["TOKEN"] = "leak"
sys.path.append("/leak")
sys.modules["leak"] = sys
json.dumps = None
for name in ("print", "len", "isinstance", "str", "BaseException", "open", "__import__"):
    setattr(builtins, name, None)`;

const PEEK = `
import json, os, sys
print(x, json.dumps([1]), os.environ.get("TOKEN"), "/leak" in sys.path, "leak" in sys.modules, os.listdir("/tmp"))`;

test("ten containers at once keep their variables when one is cancelled, one times out, one breaks its Python and one's client leaves", async () => {
  const ids = await createContainers(10);
  await Promise.all(ids.map((id, index) => runIn(id, `x = ${index}`)));
  const [cancelled = "", late = "", broken = "", left = "", ...others] = ids;
  await timeOut(late);
  await Promise.all([
    cancelWhileRunning(cancelled),
    disconnectWhileRunning(left),
    runIn(broken, BREAKAGE),
  ]);
  const peeks = await Promise.all(others.map((id) => runIn(id, PEEK)));
  expect(peeks.map(getOutputs)).toEqual(
    others.map((_, index) => [[toLogs(`${index + 4} [1] None False False []\n`)]]),
  );
  // The broken one is broken for itself only, and goes on.
  const after = await Promise.all([runIn(broken, "print(x)"), runIn(broken, "x")]);
  expect(after.map(getOutputs)).toEqual([[[]], [[toLogs("2")]]]);
  // Those that lost their interpreter start again without variables.
  expect(getOutputs(await runIn(cancelled, "'x' in globals()"))).toEqual([[toLogs("False")]]);
});

describe("beyond maxInterpreters", () => {
  test("the container that was idle longest expires, and it and its files can still be read", async () => {
    await callControl("PATCH /settings", { maxInterpreters: 2 });
    const [first = "", second = "", third = ""] = await createContainers(3);
    await runIn(first, "open('kept.txt', 'w').write('kept')");
    await runIn(second, "x = 2");
    await runIn(first, "x = 1");
    await runIn(third, "x = 3");
    const expired = { status: 400, message: "400 Container is expired." };
    await expect(runIn(second, "x")).rejects.toMatchObject(expired);
    expect((await client.containers.retrieve(second)).status).toBe("expired");
    expect(getOutputs(await runIn(first, "x"))).toEqual([[toLogs("1")]]);
    await runIn((await createContainers(1))[0] ?? "", "x = 4");
    await runIn((await createContainers(1))[0] ?? "", "x = 5");
    const { data } = await client.containers.files.list(first);
    const content = await client.containers.files.content.retrieve(data[0]?.id ?? "", {
      container_id: first,
    });
    expect(await content.text()).toBe("kept");
    const listed = await client.containers.list({ limit: 100 });
    expect(listed.data.find(({ id }) => id === first)?.status).toBe("expired");
    await callControl("PATCH /settings", { maxInterpreters: 12 });
  });

  test("calls wait for an interpreter rather than take one that is in use", async () => {
    await callControl("PATCH /settings", { maxInterpreters: 1 });
    const runs = [1, 2, 3].map((n) =>
      client.responses.create({
        model: "gpt-5.2",
        include: [INCLUDE_OUTPUTS],
        input: toPythonInput(`x = ${n}`, "x + 10"),
        tools: [{ type: "code_interpreter", container: { type: "auto" } }],
      }),
    );
    expect((await Promise.all(runs)).map(getOutputs)).toEqual(
      [11, 12, 13].map((sum) => [[], [toLogs(String(sum))]]),
    );
    await callControl("PATCH /settings", { maxInterpreters: 12 });
  });
});

test("a call that only prints a literal needs no interpreter, and leaves its container's variables alone", async () => {
  await callControl("PATCH /settings", { maxInterpreters: 1 });
  const [container = ""] = await createContainers(1);
  await runIn(container, "x = 1");
  const printed = await client.responses.create({
    model: "gpt-5.2",
    include: [INCLUDE_OUTPUTS],
    input: 'Run Python that prints exactly: "Grüße \\ 🎉"',
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  });
  expect(getCalls(printed)).toMatchObject([{ outputs: [toLogs("Grüße \\ 🎉\n")] }]);
  expect(getOutputs(await runIn(container, "x"))).toEqual([[toLogs("1")]]);
  await callControl("PATCH /settings", { maxInterpreters: 12 });
});
