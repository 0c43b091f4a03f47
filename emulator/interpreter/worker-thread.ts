/** The thread of one Python interpreter. It runs code and knows nothing of the API. */
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import * as z from "zod";
import type { FileEntry, WorkerReply, WorkerRequest } from "./messages.ts";
import { startPyodide } from "./start-pyodide.ts";

const CellResult = z.tuple([
  z.boolean(),
  z.array(z.tuple([z.enum(["logs", "image"]), z.string()])),
]);
const FileListing = z.record(z.string(), z.tuple([z.string(), z.number()]));

/** The functions of notebook.py. */
const Notebook = z.object({
  run_cell: pythonFunction<(container: string, code: string) => Promise<{ toJs(): unknown }>>(),
  drop_notebook: pythonFunction<(container: string) => void>(),
  clear_data_folder: pythonFunction<() => void>(),
  list_files: pythonFunction<() => string>(),
});
type Notebook = z.infer<typeof Notebook>;

/** The part of Emscripten's file system that is used. */
const FileSystem = z.object({
  mkdirTree: pythonFunction<(path: string) => void>(),
  readFile: pythonFunction<(path: string) => Uint8Array<ArrayBuffer>>(),
  writeFile: pythonFunction<(path: string, bytes: Uint8Array) => void>(),
  utime: pythonFunction<(path: string, accessedMs: number, modifiedMs: number) => void>(),
});

const pyodide = await startPyodide();
const fileSystem = FileSystem.parse(pyodide.FS);
const notebook = loadNotebook();

parentPort?.on("message", (request: WorkerRequest) => void handleRequest(request));
postReply({ kind: "ready" });

async function handleRequest(request: WorkerRequest): Promise<void> {
  if (request.kind === "release") {
    notebook.drop_notebook(request.containerId);
    return;
  }
  if (request.files) replaceFiles(request.files);
  const before = listFileVersions();
  if (before.size > 0) waitForNextMillisecond();
  const result = await runCell(request.containerId, request.code);
  const after = listFileVersions();
  const changed = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
  postReply({
    kind: "done",
    ...result,
    changed: changed.map((path): FileEntry => [path, fileSystem.readFile(path)]),
    removed: [...before.keys()].filter((path) => !after.has(path)),
  });
}

async function runCell(containerId: string, code: string) {
  const result = await notebook.run_cell(containerId, code);
  const [raised, outputs] = CellResult.parse(result.toJs());
  return { raised, outputs: outputs.map(([type, value]) => toOutput(type, value)) };
}

function toOutput(type: "logs" | "image", value: string) {
  return type === "logs" ? { type, logs: value } : { type, url: value };
}

/** Blocks until the clock advances, so that files written from now on have a newer modification time. */
function waitForNextMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}

/** Maps each path to its modification time and size, which change when the file does. */
function listFileVersions(): Map<string, string> {
  const listing = FileListing.parse(JSON.parse(notebook.list_files()));
  return new Map(Object.entries(listing).map(([path, version]) => [path, version.join(" ")]));
}

function replaceFiles(files: FileEntry[]): void {
  notebook.clear_data_folder();
  for (const [path, bytes] of files) {
    fileSystem.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    fileSystem.writeFile(path, bytes);
    // A time in the past, so that code which writes the file again always changes its time.
    fileSystem.utime(path, 0, 0);
  }
}

function loadNotebook(): Notebook {
  const source = readFileSync(new URL("./notebook.py", import.meta.url), "utf8");
  const globals = z.instanceof(pyodide.ffi.PyDict).parse(pyodide.toPy({}));
  pyodide.runPython(source, { globals, filename: "notebook.py" });
  const names = Object.keys(Notebook.shape);
  return Notebook.parse(Object.fromEntries(names.map((name) => [name, globals.get(name)])));
}

function pythonFunction<T>() {
  return z.custom<T>((value) => typeof value === "function");
}

/** Sends a message; the bytes of files are transferred, not copied. */
function postReply(reply: WorkerReply): void {
  const files = reply.kind === "done" ? reply.changed : [];
  const buffers = files.map(([, bytes]) => bytes.buffer);
  parentPort?.postMessage(reply, buffers);
}
