/** Starts pyodide: at first in seconds, from then on out of a snapshot of its memory. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { loadPyodide, type PyodideAPI, version } from "pyodide";

// 512 MiB: a memory bomb becomes a MemoryError instead of taking the machine with it.
setFlagsFromString("--wasm-max-mem-pages=8192");

const CACHE_FOLDER = new URL("../.cache/", import.meta.resolve("pyodide"));
const SNAPSHOT_FILE = new URL(`pyodide-${version}-node-${process.version}.snapshot`, CACHE_FOLDER);

const NO_STDIO = { stdin: () => null, stdout: () => undefined, stderr: () => undefined };

/** Gives a fresh interpreter. Snapshots are private to pyodide: its version is pinned. */
export async function startPyodide(): Promise<PyodideAPI> {
  const snapshot = readSnapshot();
  if (snapshot) return restoreSnapshot(snapshot);
  const pyodide = await loadPyodide({ ...NO_STDIO, _makeSnapshot: true });
  saveSnapshot(pyodide.makeMemorySnapshot());
  return pyodide;
}

async function restoreSnapshot(snapshot: Uint8Array): Promise<PyodideAPI> {
  try {
    return await loadPyodide({ ...NO_STDIO, _loadSnapshot: snapshot });
  } catch (cause) {
    // A bad one must not be in the way of the next start.
    rmSync(SNAPSHOT_FILE, { force: true });
    throw cause;
  }
}

function readSnapshot(): Uint8Array | null {
  try {
    return readFileSync(SNAPSHOT_FILE);
  } catch {
    return null;
  }
}

/** Others may be reading or writing the snapshot: it appears under its name when it is whole. */
function saveSnapshot(snapshot: Uint8Array): void {
  const draft = new URL(`${SNAPSHOT_FILE.href}.${process.pid}-${Date.now()}`);
  try {
    mkdirSync(CACHE_FOLDER, { recursive: true });
    writeFileSync(draft, snapshot);
    renameSync(draft, SNAPSHOT_FILE);
  } catch {
    // It is only slower without: node_modules may be read-only.
  }
}
