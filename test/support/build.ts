// Builds the Worker once, before all tests: as it is deployed, and not once for each test file.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeConfig } from "./config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WRANGLER = "node_modules/wrangler/bin/wrangler.js";

/** Names the configurations of the built Worker: as it is, and with rate limits that nobody reaches. */
export const BUILT = { plain: "BUILT_WORKER", raised: "BUILT_WORKER_RAISED" } as const;

/** @returns What removes it again. */
export default async function build(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "response-recorder-built-"));
  const args = [WRANGLER, "deploy", "--dry-run", "--outdir", folder];
  // wrangler is many megabytes of JavaScript, and some hundred processes run it. https://nodejs.org/api/module.html#module-compile-cache
  process.env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
  // Each Worker that starts would read these 7 MB again.
  rmSync(join(folder, "index.js.map"));
  const main = relative(ROOT, join(folder, "index.js"));
  process.env[BUILT.plain] = writeConfig(folder, { main, bundled: true });
  process.env[BUILT.raised] = writeConfig(folder, { main, bundled: true, raised: true });
  return () => rmSync(folder, { recursive: true, force: true });
}
