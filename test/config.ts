// wrangler.toml as it is, but with rate limits that stop no test.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LIMIT = /(simple = \{ limit = )\d+/g;
const RAISED = "1000000";

/** What names a path in it: the copy lies elsewhere. */
const PATHS = { main: "src/index.ts", directory: "public" };

/** A configuration file, and how to remove it. */
export type ConfigFile = { path: string; remove(): void };

/** Writes the copy. */
export function raisedConfig(): ConfigFile {
  const folder = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const path = join(folder, "wrangler.toml");
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  for (const [name, file] of Object.entries(PATHS)) {
    const there = JSON.stringify(relative(folder, join(ROOT, file)));
    text = text.replace(new RegExp(`^${name} = .*$`, "m"), `${name} = ${there}`);
  }
  // Without it wrangler looks for src/tsconfig.json by itself.
  text = text.replace(/^tsconfig = .*\n/m, "").replaceAll(LIMIT, `$1${RAISED}`);
  writeFileSync(path, text);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
