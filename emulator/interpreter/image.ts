/** What all interpreters of a process share, so that each starts fast and takes less memory: pyodide's compiled code, and a snapshot of its memory. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { version } from "pyodide";

const WASM_FILE = fileURLToPath(new URL("./pyodide.asm.wasm", import.meta.resolve("pyodide")));
const CACHE_FOLDER = new URL("../.cache/", import.meta.resolve("pyodide"));
const SNAPSHOT_FILE = new URL(`pyodide-${version}-node-${process.version}.snapshot`, CACHE_FOLDER);

export interface PyodideImage {
  code: WebAssembly.Module;
  /** Null until an interpreter has saved a snapshot. */
  snapshot: SharedArrayBuffer | null;
}

let compiledCode: Promise<WebAssembly.Module> | undefined;
let sharedSnapshot: SharedArrayBuffer | null = null;

/** Returns the image; the first call of a process compiles the code. */
export async function loadImage(): Promise<PyodideImage> {
  compiledCode ??= readFile(WASM_FILE).then((bytes) => WebAssembly.compile(bytes));
  sharedSnapshot ??= readSnapshot();
  return { code: await compiledCode, snapshot: sharedSnapshot };
}

function readSnapshot(): SharedArrayBuffer | null {
  try {
    const bytes = readFileSync(SNAPSHOT_FILE);
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    return shared;
  } catch {
    return null;
  }
}

/** Writes a temporary file and renames it, because other processes may read or write the snapshot at the same time. */
export function saveSnapshot(snapshot: Uint8Array): void {
  const temporaryFile = new URL(`${SNAPSHOT_FILE.href}.${process.pid}-${Date.now()}`);
  try {
    mkdirSync(CACHE_FOLDER, { recursive: true });
    writeFileSync(temporaryFile, snapshot);
    renameSync(temporaryFile, SNAPSHOT_FILE);
  } catch {
    // node_modules may be read-only; without a snapshot the next start is only slower.
  }
}

/** Deletes a snapshot from which an interpreter did not start. */
export function discardSnapshot(): void {
  sharedSnapshot = null;
  rmSync(SNAPSHOT_FILE, { force: true });
}
