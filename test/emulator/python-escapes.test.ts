import { createServer } from "node:http";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { getOutputs, startTestEmulator, toLogs } from "./setup.ts";

const { client, runPython } = await startTestEmulator();
const { id: container } = await client.containers.create({ name: "lab" });
const tools = [{ type: "code_interpreter" as const, container }];

async function runAndGetOutputs(code: string): Promise<unknown> {
  return getOutputs(await runPython(code, { tools }));
}

/** Ways to JavaScript. Each evaluates to Node's `process`, or to what leads to it. */
const WAYS_TO_NODE = [
  "import js; js.process",
  "import sys; del sys.modules['js']; import js; js.process",
  "import sys, importlib; sys.modules.pop('js', None); importlib.import_module('js').process",
  "import pyodide_js",
  "import sys; sys.modules.pop('pyodide_js', None); import pyodide_js",
  "import sys; sys.modules.pop('pyodide_js._api', None); import pyodide_js._api",
  "from pyodide.code import run_js; run_js('process')",
  "import pyodide; pyodide.code.run_js('process')",
  "import sys; sys.modules.pop('pyodide.code', None); from pyodide.code import run_js; run_js('process')",
  "from _pyodide._importhook import jsfinder; jsfinder.jsproxies['js'].process",
  "import sys, _pyodide._importhook as hook; sys.meta_path.append(hook.JsFinder()); sys.modules.pop('js', None); import js",
  "from pyodide.ffi import to_js; to_js([]).constructor.constructor('return process')()",
  "import pyodide.webloop as loop; loop.scheduleCallback.constructor('return process')()",
  "from pyodide.ffi import to_js; to_js({}).constructor.constructor.prototype.constructor('return process')()",
  "import js.process",
] as const;

describe("Python does not reach Node", () => {
  test.each(WAYS_TO_NODE)("by %s", async (code) => {
    expect(await runAndGetOutputs(code)).toEqual([[]]);
  });

  test("by os.system, which finds no command", async () => {
    const code = "import os; os.waitstatus_to_exitcode(os.system('exit 3'))";
    expect(await runAndGetOutputs(code)).toEqual([[toLogs("127")]]);
  });

  test("by ctypes and the C function system", async () => {
    const code = "import ctypes; ctypes.CDLL(None).system(b'exit 3') >> 8";
    expect(getOutputs(await runPython(code))).toEqual([[toLogs("127")]]);
  });

  test("by emscripten_run_script", async () => {
    const code = "import ctypes; ctypes.CDLL(None).emscripten_run_script(b'process')";
    expect(getOutputs(await runPython(code))).toEqual([[]]);
  });

  test("through a getter on Object.prototype, which sees the objects of pyodide that lack a member", async () => {
    const code = `
from pyodide.ffi import create_proxy, to_js
Object = to_js({}).constructor
seen = []
getter = create_proxy(lambda this: seen.append(this), capture_this=True)
Object.defineProperty(Object.prototype, "Comlink", to_js({"get": getter, "configurable": True}))
try:
    to_js({"a": [1]}).to_py()
finally:
    del Object.prototype.Comlink
(await seen[0].loadBinaryFile(${JSON.stringify(import.meta.filename)})).length`;
    expect(await runAndGetOutputs(code)).toEqual([[]]);
  });

  test("through the modules that are left: none of their members leads there", async () => {
    const code = `
import gc, sys
from pyodide.ffi import JsProxy
found = [o for o in gc.get_objects() if isinstance(o, JsProxy)]
for module in list(sys.modules.values()):
    found += [value for value in list(vars(module).values() if module else []) if isinstance(value, JsProxy)]
[name for proxy in found for name in ("process", "require", "FS", "_module", "globalThis") if hasattr(proxy, name)]`;
    expect(await runAndGetOutputs(code)).toEqual([[toLogs("[]")]]);
  });
});

const CONNECTIONS = [
  "socket.create_connection(('127.0.0.1', PORT))",
  "socket.socket().connect(('127.0.0.1', PORT))",
  "__import__('_socket').socket().connect(('localhost', PORT))",
  "socket.socket().bind(('127.0.0.1', 0))",
  "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
] as const;

describe("Python opens no socket", () => {
  test.each(CONNECTIONS)("with %s, which raises a plain OSError", async (expression) => {
    const connections: unknown[] = [];
    const server = createServer().on("connection", (socket) => connections.push(socket));
    onTestFinished(() => void server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const code = `
import socket
try:
    ${expression.replace("PORT", String(port))}
except Exception as error:
    print(type(error) is OSError, error)`;
    expect(await runAndGetOutputs(code)).toEqual([
      [toLogs("True [Errno 40] Network unreachable\n")],
    ]);
    expect(connections).toEqual([]);
  });
});

test("what Python's own modules need of JavaScript still works", async () => {
  const code = `
import asyncio, os, random, tempfile, time, uuid
async def slow(value):
    await asyncio.sleep(0.001)
    return value
print(await asyncio.gather(slow(1), slow(2)))
len(os.urandom(8)), os.getuid(), len(str(uuid.uuid4())), time.time() > 0, random.random() < 1`;
  expect(await runAndGetOutputs(code)).toEqual([[toLogs("[1, 2]\n(8, 1000, 36, True, True)")]]);
});
