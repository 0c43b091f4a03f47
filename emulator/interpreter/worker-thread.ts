/** A thread with one Python interpreter in it. It knows nothing of the API. */
import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import * as z from "zod";
import { boot } from "./start-pyodide.ts";
import type { File, Job, Report } from "./messages.ts";

const Shown = z.tuple([z.boolean(), z.array(z.tuple([z.enum(["logs", "image"]), z.string()]))]);
const Listing = z.record(z.string(), z.tuple([z.string(), z.number()]));

const run = python<(container: string, code: string) => Promise<{ toJs(): unknown }>>();
const forget = python<(container: string) => void>();
const clear = python<() => void>();
const listing = python<() => string>();
const Notebook = z.object({ run, forget, clear, listing });
const Disk = z.object({
  mkdirTree: python<(path: string) => void>(),
  readFile: python<(path: string) => Uint8Array<ArrayBuffer>>(),
  writeFile: python<(path: string, bytes: Uint8Array) => void>(),
  utime: python<(path: string, accessed: number, modified: number) => void>(),
});

const pyodide = await boot();
const disk = Disk.parse(pyodide.FS);
const notebook = load();

parentPort?.on("message", (job: Job) => void take(job));
report({ kind: "ready" });

async function take(job: Job): Promise<void> {
  if (job.kind === "forget") {
    notebook.forget(job.container);
    return;
  }
  if (job.files) fill(job.files);
  const before = files();
  if (before.size > 0) tick();
  const shown = await execute(job.container, job.code);
  const after = files();
  const changed = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
  report({
    kind: "done",
    ...shown,
    changed: changed.map((path): File => [path, disk.readFile(path)]),
    removed: [...before.keys()].filter((path) => !after.has(path)),
  });
}

async function execute(container: string, code: string) {
  const result = await notebook.run(container, code);
  const [raised, outputs] = Shown.parse(result.toJs());
  return { raised, outputs: outputs.map(([type, value]) => output(type, value)) };
}

function output(type: "logs" | "image", value: string) {
  return type === "logs" ? { type, logs: value } : { type, url: value };
}

/** Waits for the next millisecond: files written from now on have another time than those before. */
function tick(): void {
  const now = Date.now();
  while (Date.now() === now);
}

/** Gives every file with a mark that changes when the file does. */
function files(): Map<string, string> {
  const found = Listing.parse(JSON.parse(notebook.listing()));
  return new Map(Object.entries(found).map(([path, mark]) => [path, mark.join(" ")]));
}

function fill(given: File[]): void {
  notebook.clear();
  for (const [path, bytes] of given) {
    disk.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    disk.writeFile(path, bytes);
    // In the past, so that a run which writes the file again is sure to change its time.
    disk.utime(path, 0, 0);
  }
}

function load(): z.infer<typeof Notebook> {
  const source = readFileSync(new URL("./notebook.py", import.meta.url), "utf8");
  const names = z.instanceof(pyodide.ffi.PyDict).parse(pyodide.toPy({}));
  pyodide.runPython(source, { globals: names, filename: "notebook.py" });
  const members = Object.keys(Notebook.shape).map((name): [string, unknown] => [
    name,
    names.get(name),
  ]);
  return Notebook.parse(Object.fromEntries(members));
}

function python<T>() {
  return z.custom<T>((value) => typeof value === "function");
}

function report(message: Report): void {
  const written = message.kind === "done" ? message.changed : [];
  const buffers = written.map(([, bytes]) => bytes.buffer);
  parentPort?.postMessage(message, buffers);
}
