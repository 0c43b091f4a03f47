// The Worker's configuration for the bench: wrangler.toml as it is, but for rate limits that would stop the load.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const LIMIT = /(simple\s*=\s*\{\s*limit\s*=\s*)\d+/g;

/** What is changed that a reader of the figures should know. */
export const RAISED = "the rate limits of wrangler.toml are raised to 1,000,000 a minute";

/**
 * Writes the configuration.
 * @param folder Where to.
 * @param main The Worker's entry, from the project's folder.
 * @returns The file's path.
 */
export function writeConfig(folder: string, main: string): string {
  const paths = { main, directory: "public" };
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8").replaceAll(LIMIT, "$11000000");
  for (const [name, path] of Object.entries(paths)) {
    const value = JSON.stringify(relative(folder, join(ROOT, path)));
    text = text.replace(new RegExp(`^${name} = .*$`, "m"), `${name} = ${value}`);
  }
  // Without this line each folder's own is used; wrangler looks for it beside the project only.
  text = text.replace(/^tsconfig = .*\n/m, "");
  const path = join(folder, `${main.replaceAll("/", "-")}.toml`);
  writeFileSync(path, text);
  return path;
}
