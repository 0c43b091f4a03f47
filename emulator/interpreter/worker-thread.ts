/** The thread of one Python interpreter. It runs code and knows nothing of the API. */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { CallOutput } from "../responses/items.ts";
import type { PyodideImage } from "./image.ts";
import { lockDown } from "./lock-down.ts";
import type { CallError, FileEntry, WorkerReply, WorkerRequest } from "./messages.ts";
import { startPyodide } from "./start-pyodide.ts";

/** What `run_cell` returns. The thread imports no schema library, because it starts often. */
interface CellReport {
  error: CallError | null;
  outputs: [kind: "logs" | "image", text: string][];
}

type PythonFunction = (...args: unknown[]) => unknown;

/** The part of Emscripten's file system that is used. */
interface FileSystem {
  mkdirTree(path: string): void;
  readFile(path: string): Uint8Array<ArrayBuffer>;
  writeFile(path: string, bytes: Uint8Array): void;
  utime(path: string, accessedMs: number, modifiedMs: number): void;
}

// `lockDown` empties the module that exports it.
const port = parentPort;
const pyodide = await startPyodide(getImage(workerData));
const fileSystem = getFileSystem();
const notebook = loadNotebook();
lockDown(pyodide);

port?.on("message", (request: WorkerRequest) => void handleRequest(request));
postReply({ kind: "ready" });

async function handleRequest({ code, files }: WorkerRequest): Promise<void> {
  if (files) replaceFiles(files);
  const before = listFileVersions();
  if (before.size > 0) waitForNextMillisecond();
  const { error, outputs } = parseCellReport(await notebook.runCell(code));
  const after = listFileVersions();
  const changed = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
  postReply({
    kind: "done",
    error,
    outputs: outputs.map(([type, text]) => toOutput(type, text)),
    changed: changed.map((path): FileEntry => [path, fileSystem.readFile(path)]),
    removed: [...before.keys()].filter((path) => !after.has(path)),
  });
}

function toOutput(type: "logs" | "image", text: string): CallOutput {
  return type === "logs" ? { type, logs: text } : { type, url: text };
}

/** Blocks until the clock advances, so that files written from now on have a newer modification time. */
function waitForNextMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}

/** Maps each path to its modification time and size, which change when the file does. */
function listFileVersions(): Map<string, string> {
  const listing: unknown = JSON.parse(String(notebook.listFiles()));
  if (typeof listing !== "object" || listing === null) return new Map();
  return new Map(Object.entries(listing).map(([path, version]) => [path, String(version)]));
}

function replaceFiles(files: FileEntry[]): void {
  notebook.clearDataFolder();
  for (const [path, bytes] of files) {
    fileSystem.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    fileSystem.writeFile(path, bytes);
    // A time in the past, so that code which writes the file again always changes its time.
    fileSystem.utime(path, 0, 0);
  }
}

function getImage(data: unknown): PyodideImage {
  if (!isImage(data)) throw new Error("The thread was started without an image.");
  return data;
}

function isImage(value: unknown): value is PyodideImage {
  if (typeof value !== "object" || value === null || !("code" in value)) return false;
  return value.code instanceof WebAssembly.Module && "snapshot" in value;
}

function loadNotebook() {
  const source = readFileSync(new URL("./notebook.py", import.meta.url), "utf8");
  const globals: unknown = pyodide.toPy({});
  if (!(globals instanceof pyodide.ffi.PyDict)) throw new Error("toPy({}) gave no dictionary.");
  // A copy, so that code which changes `builtins` changes its own notebook only, and not the functions that report its result.
  globals.set("__builtins__", pyodide.runPython("import builtins; dict(vars(builtins))"));
  pyodide.runPython(source, { globals, filename: "notebook.py" });
  const find = (name: string): PythonFunction => {
    const value: unknown = globals.get(name);
    if (!isFunction(value)) throw new Error(`notebook.py has no function ${name}.`);
    return value;
  };
  return {
    runCell: find("run_cell"),
    clearDataFolder: find("clear_data_folder"),
    listFiles: find("list_files"),
  };
}

function isFunction(value: unknown): value is PythonFunction {
  return typeof value === "function";
}

function getFileSystem(): FileSystem {
  const value: unknown = pyodide.FS;
  if (!isFileSystem(value)) throw new Error("This version of pyodide has another file system.");
  return value;
}

function isFileSystem(value: unknown): value is FileSystem {
  if (typeof value !== "object" || value === null) return false;
  const methods = ["mkdirTree", "readFile", "writeFile", "utime"];
  return methods.every((name) => isFunction(Reflect.get(value, name)));
}

function parseCellReport(text: unknown): CellReport {
  const report: unknown = JSON.parse(String(text));
  if (!isCellReport(report)) throw new Error("run_cell returned no report.");
  return report;
}

function isCellReport(value: unknown): value is CellReport {
  if (typeof value !== "object" || value === null) return false;
  return "error" in value && "outputs" in value && Array.isArray(value.outputs);
}

/** Sends a message; the bytes of files are transferred, not copied. */
function postReply(reply: WorkerReply): void {
  const files = reply.kind === "done" ? reply.changed : [];
  const buffers = files.map(([, bytes]) => bytes.buffer);
  port?.postMessage(reply, buffers);
}
