/** Starts pyodide. The first start takes seconds and saves a snapshot of its memory; later starts load the snapshot. */
import { setFlagsFromString } from "node:v8";
import { loadPyodide, type PyodideAPI } from "pyodide";
import { type PyodideImage, saveSnapshot } from "./image.ts";

/** 512 MiB in pages of 64 KiB. Beyond it Python raises a MemoryError, so code cannot exhaust the machine's memory. */
const MAX_MEMORY_PAGES = 8192;

/** Pyodide loads small modules of its own too, which are not in the image. */
const MIN_PYODIDE_BYTES = 1_000_000;

const NO_STDIO = { stdin: () => null, stdout: () => undefined, stderr: () => undefined };

/** Starts a fresh interpreter. The snapshot options are private to pyodide, so its version is pinned. */
export async function startPyodide({ code, snapshot }: PyodideImage): Promise<PyodideAPI> {
  setFlagsFromString(`--wasm-max-mem-pages=${MAX_MEMORY_PAGES}`);
  reuseCompiledCode(code);
  if (snapshot) return loadPyodide({ ...NO_STDIO, _loadSnapshot: new Uint8Array(snapshot) });
  const pyodide = await loadPyodide({ ...NO_STDIO, _makeSnapshot: true });
  saveSnapshot(pyodide.makeMemorySnapshot());
  return pyodide;
}

/** Pyodide has no option to pass compiled code, so this thread's `WebAssembly.instantiate` takes it in place of the bytes. */
function reuseCompiledCode(code: WebAssembly.Module): void {
  const original = WebAssembly.instantiate;
  const instantiate = (...args: unknown[]): unknown => Reflect.apply(original, WebAssembly, args);
  const instantiateCode = async (imports: unknown) => {
    return { module: code, instance: await instantiate(code, imports) };
  };
  Reflect.set(WebAssembly, "instantiate", (source: unknown, imports: unknown) =>
    isPyodideCode(source) ? instantiateCode(imports) : instantiate(source, imports),
  );
}

function isPyodideCode(source: unknown): boolean {
  return source instanceof Uint8Array && source.byteLength >= MIN_PYODIDE_BYTES;
}
