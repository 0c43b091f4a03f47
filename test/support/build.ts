// Builds the Worker once for all tests, as it is deployed, and again in watch mode when its sources change.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { writeConfig } from "./config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WRANGLER = "node_modules/wrangler/bin/wrangler.js";
/** What the built Worker is made of. */
const SOURCES = ["src/", "public/", "wrangler.toml"].map((path) => join(ROOT, path));

/** Names the environment variables that hold the paths of the built Worker's configurations: as deployed, and with rate limits that no test reaches. */
export const BUILT = { plain: "BUILT_WORKER", raised: "BUILT_WORKER_RAISED" } as const;

/**
 * Builds the Worker, unless the set-up of another project has built it.
 * @returns Removes what was built.
 */
export default async function setUp(project: TestProject): Promise<() => void> {
  if (project.vitest.config.watch) onSourceChange(project, () => void rerunAll(project));
  if (process.env[BUILT.plain] !== undefined) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), "response-recorder-built-"));
  // wrangler is many megabytes of JavaScript, and some hundred processes run it. https://nodejs.org/api/module.html#module-compile-cache
  process.env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
  await build(folder);
  if (project.vitest.config.watch) rebuildBeforeReruns(project, folder);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Ctrl-C in watch mode skips the teardown.
  process.once("exit", remove);
  return remove;
}

async function build(folder: string): Promise<void> {
  // Where the build fails, no test may pass with the Worker of before.
  rmSync(join(folder, "index.js"), { force: true });
  const args = [WRANGLER, "deploy", "--dry-run", "--outdir", folder];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
  // Each Worker that starts would read these 7 MB again.
  rmSync(join(folder, "index.js.map"));
  const main = relative(ROOT, join(folder, "index.js"));
  process.env[BUILT.plain] = writeConfig(folder, { main, bundled: true });
  process.env[BUILT.raised] = writeConfig(folder, { main, bundled: true, raised: true });
}

function rebuildBeforeReruns(project: TestProject, folder: string): void {
  let isStale = false;
  onSourceChange(project, () => (isStale = true));
  project.onTestsRerun(async () => {
    if (!isStale) return;
    isStale = false;
    await build(folder).catch((error: unknown) => project.vitest.logger.error(String(error)));
  });
}

function onSourceChange(project: TestProject, callback: () => void): void {
  project.vitest.vite.watcher.on("all", (_, path) => {
    if (SOURCES.some((source) => path.startsWith(source))) callback();
  });
}

// Vitest reruns what imports the changed file. These tests import nothing of the Worker, so a change of a source counts as a change of each test file.
async function rerunAll(project: TestProject): Promise<void> {
  const { testFiles } = await project.globTestFiles();
  for (const file of testFiles) project.vitest.watcher.onFileChange(file);
}
