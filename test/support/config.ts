// wrangler.toml as it is, but for what a test, the soak or the bench must have otherwise.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LIMIT = /(simple\s*=\s*\{\s*limit\s*=\s*)\d+/g;

/** What is changed that a reader of the figures should know. */
export const RAISED =
  "the rate limits of wrangler.toml are raised to 1,000,000 a minute, so that they don't stop the load";

/** What differs. */
export type Changes = {
  /** The Worker's entry, from the project's folder. */
  main?: string;
  /** Whether the entry is bundled already. */
  bundled?: boolean;
  /** Whether rate limits are raised. */
  raised?: boolean;
};

/**
 * Writes a configuration.
 * @param folder Where to.
 * @param changes What differs from wrangler.toml.
 * @returns The file's path.
 */
export function writeConfig(folder: string, changes: Changes): string {
  const { main = "src/index.ts", bundled = false, raised = false } = changes;
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  // Paths in it count from its own folder.
  for (const [name, path] of [
    ["main", main],
    ["directory", "public"],
  ] as const) {
    const line = new RegExp(`^${name} = .*$`, "m");
    if (!line.test(text)) throw new Error(`wrangler.toml has no line that begins with ${name}`);
    text = text.replace(line, `${name} = ${JSON.stringify(relative(folder, join(ROOT, path)))}`);
  }
  // Without this line each folder's own is used; wrangler looks for it beside the project only.
  text = text.replace(/^tsconfig = .*\n/m, "");
  // Not `no_bundle`: while it bundles, wrangler adds what drains a refused request's body, without which the local server cuts the connection.
  if (bundled) text = text.replace(/^(minify|upload_source_maps) = .*\n/gm, "");
  if (raised) text = text.replaceAll(LIMIT, "$11000000");
  const name = `${main.replaceAll(/[^\w.-]+/g, "-")}${raised ? "-raised" : ""}.toml`;
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
