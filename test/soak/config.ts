// The soak's own configuration: wrangler.toml as it is, but for the entry file, and for limits that would stop a thousand triggers.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = fileURLToPath(new URL("worker/index.ts", import.meta.url));

/** Lines of wrangler.toml that name a path, and which: the soak's file lies elsewhere. */
const PATHS: readonly [string, string][] = [
  ["main", ENTRY],
  ["directory", join(ROOT, "public")],
];

const RATE = /(simple\s*=\s*\{\s*limit\s*=\s*)\d+/g;

/**
 * Writes the configuration.
 * @param folder Where to.
 * @returns The file's path, and what was changed that a user should know.
 */
export function writeConfig(folder: string): { path: string; notes: string[] } {
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  for (const [name, path] of PATHS) {
    const line = new RegExp(`^${name} = .*$`, "m");
    if (!line.test(text)) throw new Error(`wrangler.toml has no line that begins with ${name}`);
    text = text.replace(line, `${name} = ${JSON.stringify(relative(folder, path))}`);
  }
  const limits = text.match(RATE)?.length ?? 0;
  const path = join(folder, "wrangler.toml");
  // Without it each folder's own is used; wrangler looks for this one beside the project only.
  text = text.replace(/^tsconfig = .*\n/m, "");
  writeFileSync(path, text.replaceAll(RATE, "$11000000"));
  const raised = `${limits} rate limits of wrangler.toml are raised to 1,000,000, so that they don't stop the load`;
  return { path, notes: limits === 0 ? [] : [raised] };
}
