/** Starts pyodide. The first start takes seconds and saves a snapshot of its memory; later starts load the snapshot. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { loadPyodide, type PyodideAPI, version } from "pyodide";

/** 512 MiB in pages of 64 KiB. Beyond it Python raises a MemoryError, so code cannot exhaust the machine's memory. */
const MAX_MEMORY_PAGES = 8192;
setFlagsFromString(`--wasm-max-mem-pages=${MAX_MEMORY_PAGES}`);

const CACHE_FOLDER = new URL("../.cache/", import.meta.resolve("pyodide"));
const SNAPSHOT_FILE = new URL(`pyodide-${version}-node-${process.version}.snapshot`, CACHE_FOLDER);

const NO_STDIO = { stdin: () => null, stdout: () => undefined, stderr: () => undefined };

/** Starts a fresh interpreter. The snapshot options are private to pyodide, so its version is pinned. */
export async function startPyodide(): Promise<PyodideAPI> {
  const snapshot = readSnapshot();
  if (snapshot) return startFromSnapshot(snapshot);
  const pyodide = await loadPyodide({ ...NO_STDIO, _makeSnapshot: true });
  saveSnapshot(pyodide.makeMemorySnapshot());
  return pyodide;
}

async function startFromSnapshot(snapshot: Uint8Array): Promise<PyodideAPI> {
  try {
    return await loadPyodide({ ...NO_STDIO, _loadSnapshot: snapshot });
  } catch (cause) {
    // A corrupt snapshot would make each later start fail too.
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

/** Writes a temporary file and renames it, because other processes may read or write the snapshot at the same time. */
function saveSnapshot(snapshot: Uint8Array): void {
  const temporaryFile = new URL(`${SNAPSHOT_FILE.href}.${process.pid}-${Date.now()}`);
  try {
    mkdirSync(CACHE_FOLDER, { recursive: true });
    writeFileSync(temporaryFile, snapshot);
    renameSync(temporaryFile, SNAPSHOT_FILE);
  } catch {
    // node_modules may be read-only; without a snapshot the next start is only slower.
  }
}
