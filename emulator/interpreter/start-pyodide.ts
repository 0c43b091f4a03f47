/** Starts pyodide: at first in seconds, from then on out of a snapshot of its memory. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { loadPyodide, type PyodideAPI, version } from "pyodide";

// 512 MiB: a memory bomb becomes a MemoryError instead of taking the machine with it.
setFlagsFromString("--wasm-max-mem-pages=8192");

const FOLDER = new URL("../.cache/", import.meta.resolve("pyodide"));
const SNAPSHOT = new URL(`pyodide-${version}-node-${process.version}.snapshot`, FOLDER);

const SILENT = { stdin: () => null, stdout: () => undefined, stderr: () => undefined };

/** Gives a fresh interpreter. Snapshots are private to pyodide: its version is pinned. */
export async function boot(): Promise<PyodideAPI> {
  const snapshot = read();
  if (snapshot) return restore(snapshot);
  const pyodide = await loadPyodide({ ...SILENT, _makeSnapshot: true });
  keep(pyodide.makeMemorySnapshot());
  return pyodide;
}

async function restore(snapshot: Uint8Array): Promise<PyodideAPI> {
  try {
    return await loadPyodide({ ...SILENT, _loadSnapshot: snapshot });
  } catch (cause) {
    // A bad one must not be in the way of the next start.
    rmSync(SNAPSHOT, { force: true });
    throw cause;
  }
}

function read(): Uint8Array | null {
  try {
    return readFileSync(SNAPSHOT);
  } catch {
    return null;
  }
}

/** Others may be reading or writing the snapshot: it appears under its name when it is whole. */
function keep(snapshot: Uint8Array): void {
  const draft = new URL(`${SNAPSHOT.href}.${process.pid}-${Date.now()}`);
  try {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(draft, snapshot);
    renameSync(draft, SNAPSHOT);
  } catch {
    // It is only slower without: node_modules may be read-only.
  }
}
