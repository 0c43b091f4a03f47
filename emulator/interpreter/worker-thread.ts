/** A thread with one Python interpreter in it. It knows nothing of the API. */
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import * as z from "zod";
import { startPyodide } from "./start-pyodide.ts";
import type { FileEntry, WorkerRequest, WorkerReply } from "./messages.ts";

const CellResult = z.tuple([
  z.boolean(),
  z.array(z.tuple([z.enum(["logs", "image"]), z.string()])),
]);
const FileListing = z.record(z.string(), z.tuple([z.string(), z.number()]));

const run = pythonFunction<(container: string, code: string) => Promise<{ toJs(): unknown }>>();
const forget = pythonFunction<(container: string) => void>();
const clear = pythonFunction<() => void>();
const listing = pythonFunction<() => string>();
const Notebook = z.object({ run, forget, clear, listing });
const FileSystem = z.object({
  mkdirTree: pythonFunction<(path: string) => void>(),
  readFile: pythonFunction<(path: string) => Uint8Array<ArrayBuffer>>(),
  writeFile: pythonFunction<(path: string, bytes: Uint8Array) => void>(),
  utime: pythonFunction<(path: string, accessed: number, modified: number) => void>(),
});

const pyodide = await startPyodide();
const fileSystem = FileSystem.parse(pyodide.FS);
const notebook = loadNotebook();

parentPort?.on("message", (job: WorkerRequest) => void handleRequest(job));
postReply({ kind: "ready" });

async function handleRequest(job: WorkerRequest): Promise<void> {
  if (job.kind === "forget") {
    notebook.forget(job.container);
    return;
  }
  if (job.files) replaceFiles(job.files);
  const before = listFileVersions();
  if (before.size > 0) waitForNextMillisecond();
  const shown = await runCell(job.container, job.code);
  const after = listFileVersions();
  const changed = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
  postReply({
    kind: "done",
    ...shown,
    changed: changed.map((path): FileEntry => [path, fileSystem.readFile(path)]),
    removed: [...before.keys()].filter((path) => !after.has(path)),
  });
}

async function runCell(container: string, code: string) {
  const result = await notebook.run(container, code);
  const [raised, outputs] = CellResult.parse(result.toJs());
  return { raised, outputs: outputs.map(([type, value]) => toOutput(type, value)) };
}

function toOutput(type: "logs" | "image", value: string) {
  return type === "logs" ? { type, logs: value } : { type, url: value };
}

/** Waits for the next millisecond: files written from now on have another time than those before. */
function waitForNextMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}

/** Gives every file with a mark that changes when the file does. */
function listFileVersions(): Map<string, string> {
  const found = FileListing.parse(JSON.parse(notebook.listing()));
  return new Map(Object.entries(found).map(([path, mark]) => [path, mark.join(" ")]));
}

function replaceFiles(given: FileEntry[]): void {
  notebook.clear();
  for (const [path, bytes] of given) {
    fileSystem.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    fileSystem.writeFile(path, bytes);
    // In the past, so that a run which writes the file again is sure to change its time.
    fileSystem.utime(path, 0, 0);
  }
}

function loadNotebook(): z.infer<typeof Notebook> {
  const source = readFileSync(new URL("./notebook.py", import.meta.url), "utf8");
  const names = z.instanceof(pyodide.ffi.PyDict).parse(pyodide.toPy({}));
  pyodide.runPython(source, { globals: names, filename: "notebook.py" });
  const members = Object.keys(Notebook.shape).map((name): [string, unknown] => [
    name,
    names.get(name),
  ]);
  return Notebook.parse(Object.fromEntries(members));
}

function pythonFunction<T>() {
  return z.custom<T>((value) => typeof value === "function");
}

function postReply(message: WorkerReply): void {
  const written = message.kind === "done" ? message.changed : [];
  const buffers = written.map(([, bytes]) => bytes.buffer);
  parentPort?.postMessage(message, buffers);
}
