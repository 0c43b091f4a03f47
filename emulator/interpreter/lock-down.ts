/**
 * Removes what Python could do with JavaScript if it reaches any. `notebook.py` removes the known ways, but every object of pyodide leads to its
 * constructor, so the thread itself must have nothing worth reaching: no Node, no network, and no way to make code out of text.
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { PyodideAPI } from "pyodide";

/** The globals of JavaScript itself, and those that pyodide needs after its start. */
const KEPT_GLOBALS = new Set(
  `
  Object Function Array ArrayBuffer SharedArrayBuffer DataView Atomics BigInt Int8Array Uint8Array
  Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array
  Float64Array BigInt64Array BigUint64Array Boolean Number String Symbol Map Set WeakMap WeakSet
  WeakRef FinalizationRegistry Promise Proxy Reflect Iterator Date RegExp Math JSON Intl Error
  AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError
  SuppressedError undefined NaN Infinity parseInt parseFloat isNaN isFinite decodeURI
  decodeURIComponent encodeURI encodeURIComponent globalThis WebAssembly TextDecoder TextEncoder
  AbortController AbortSignal crypto setTimeout clearTimeout setImmediate clearImmediate
  queueMicrotask console process performance DOMException
`.split(/\s+/),
);

/** The modules of Node that pyodide's functions hold or can import, and that lead out of the thread. */
const NODE_MODULES = [
  "fs",
  "fs/promises",
  "child_process",
  "module",
  "net",
  "tls",
  "vm",
  "worker_threads",
];

/** Emscripten's error number of "Network unreachable", as Python's `errno.ENETUNREACH`. */
const ENETUNREACH = 40;

/** Node's console leads to its streams. Pyodide warns on its console. */
const SILENT_CONSOLE = { log() {}, info() {}, warn() {}, error() {}, debug() {}, trace() {} };

/** What Emscripten asks of Node's `process`, for `os.getuid` and `os._exit`. */
const EMPTY_PROCESS = { getuid: () => 1000, exitCode: 0 };

/** Locks the thread down, for good. Call it once pyodide has started. */
export function lockDown(pyodide: PyodideAPI): void {
  closeSockets(pyodide);
  closeFileSystems(pyodide);
  removeLoaders(pyodide);
  removeCodeGeneration();
  Reflect.defineProperty(globalThis, "console", { value: SILENT_CONSOLE });
  Reflect.defineProperty(globalThis, "process", { value: EMPTY_PROCESS });
  for (const name of Reflect.ownKeys(globalThis)) {
    if (typeof name === "string" && !KEPT_GLOBALS.has(name))
      Reflect.deleteProperty(globalThis, name);
  }
  freezeBuiltIns();
  emptyNodeModules();
}

/** Pyodide's sockets speak WebSocket, and would reach this machine's servers. Python gets an OSError instead. */
function closeSockets(pyodide: PyodideAPI): void {
  const operations = getPath(pyodide, "_module", "SOCKFS", "websocket_sock_ops");
  const ErrnoError = getPath(pyodide, "FS", "ErrnoError");
  if (!isObject(operations) || typeof ErrnoError !== "function") {
    throw new Error("This version of pyodide has other sockets.");
  }
  const throwUnreachable = () => {
    throw Reflect.construct(ErrnoError, [ENETUNREACH]);
  };
  for (const name of ["createPeer", "connect", "bind", "listen", "accept", "sendmsg"]) {
    Reflect.set(operations, name, throwUnreachable);
  }
}

/** Removes the file systems that lead to this machine's files. */
function closeFileSystems(pyodide: PyodideAPI): void {
  const names = ["NODEFS", "WORKERFS", "PROXYFS", "IDBFS", "NATIVEFS_ASYNC"];
  for (const holder of [getPath(pyodide, "FS", "filesystems"), getPath(pyodide, "_module")]) {
    if (!isObject(holder)) continue;
    for (const name of names) Reflect.deleteProperty(holder, name);
  }
  for (const name of [
    "mountNodeFS",
    "mountNativeFS",
    "useNodeSockFS",
    "runPython",
    "loadPackage",
  ]) {
    Reflect.set(pyodide, name, undefined);
  }
}

/** Removes the functions of pyodide that load files or code. */
function removeLoaders(pyodide: PyodideAPI): void {
  const api = getPath(pyodide, "_module", "API");
  if (!isObject(api)) throw new Error("This version of pyodide has another API.");
  for (const name of ["loadBinaryFile", "loadDynlib", "install", "packageManager"]) {
    Reflect.deleteProperty(api, name);
  }
}

/**
 * Freezes what all objects inherit from. With a getter on `Object.prototype` Python would see each object in which pyodide looks for a
 * member that isn't there. Errors are left out, because Node and pyodide set members of theirs.
 */
function freezeBuiltIns(): void {
  makeMembersOverridable(Object.prototype);
  for (const name of KEPT_GLOBALS) {
    const value: unknown = Reflect.get(globalThis, name);
    if (!isObject(value)) continue;
    const prototype: unknown = Reflect.get(value, "prototype");
    if (prototype === Error.prototype || prototype instanceof Error) continue;
    if (isObject(prototype)) Object.freeze(prototype);
    if (value !== globalThis && value !== EMPTY_PROCESS) Object.freeze(value);
  }
}

/** An assignment fails where the object inherits a frozen member, and pyodide assigns such as `constructor`. Accessors let it add a member of the object's own. */
function makeMembersOverridable(prototype: object): void {
  for (const [key, { value, writable }] of Object.entries(
    Object.getOwnPropertyDescriptors(prototype),
  )) {
    if (!writable) continue;
    const addOwn = function (this: object, own: unknown): void {
      if (this === prototype) throw new TypeError("The emulator's Python changes no built-in.");
      Reflect.defineProperty(this, key, {
        value: own,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    };
    Reflect.defineProperty(prototype, key, { get: (): unknown => value, set: addOwn });
  }
}

/** Pyodide keeps these modules in variables that can't be cleared, so their members are removed. Each thread has modules of its own. */
function emptyNodeModules(): void {
  const require = createRequire(import.meta.url);
  const synchronizeExports = syncBuiltinESMExports;
  for (const module of NODE_MODULES.map((name): unknown => require(`node:${name}`))) {
    if (!isObject(module)) continue;
    for (const key of Reflect.ownKeys(module)) {
      // Emscripten's `require` needs it.
      if (key !== "_load") Reflect.deleteProperty(module, key);
    }
  }
  // Emscripten carries out `os.system` with it. 127: there is no such command.
  const childProcess: unknown = require("node:child_process");
  if (isObject(childProcess)) Reflect.set(childProcess, "spawnSync", () => ({ status: 127 }));
  synchronizeExports();
}

function refuseCode(): never {
  throw new EvalError("The emulator's Python makes no JavaScript.");
}

/** Replaces each constructor that makes a function out of text. `eval` goes with the globals. */
function removeCodeGeneration(): void {
  // Pyodide asks for `instanceof Function`.
  Reflect.defineProperty(refuseCode, "prototype", { value: Function.prototype });
  const samples = [() => 0, async () => 0, function* () {}, async function* () {}];
  for (const sample of samples) {
    const prototype: unknown = Reflect.getPrototypeOf(sample);
    if (isObject(prototype))
      Reflect.defineProperty(prototype, "constructor", { value: refuseCode });
  }
  Reflect.defineProperty(globalThis, "Function", { value: refuseCode });
}

function getPath(start: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      isObject(value) || typeof value === "function" ? Reflect.get(value, key) : null,
    start,
  );
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
