// Writes copies of wrangler.toml with the changes that tests, the soak and the bench need.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RATE_LIMIT = /(simple\s*=\s*\{\s*limit\s*=\s*)\d+/g;

/** What a reader of the figures should know about the changes. */
export const RAISED =
  "the rate limits of wrangler.toml are raised to 1,000,000 a minute, so that they don't stop the load";

export type ConfigChanges = {
  /** The Worker's entry, relative to the project's folder. */
  main?: string;
  /** Whether the entry is bundled already. */
  bundled?: boolean;
  /** Whether rate limits are raised. */
  raised?: boolean;
};

/**
 * Writes a configuration.
 * @param folder The folder of the new file.
 * @returns The file's path.
 */
export function writeConfig(
  folder: string,
  { main = "src/index.ts", bundled = false, raised = false }: ConfigChanges,
): string {
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  // Paths in it are relative to its folder.
  for (const [name, path] of [
    ["main", main],
    ["directory", "public"],
  ] as const) {
    const line = new RegExp(`^${name} = .*$`, "m");
    if (!line.test(text)) throw new Error(`wrangler.toml has no line that begins with ${name}`);
    text = text.replace(line, `${name} = ${JSON.stringify(relative(folder, join(ROOT, path)))}`);
  }
  // wrangler looks for this file next to the configuration. Without the line each folder's own tsconfig.json is used.
  text = text.replace(/^tsconfig = .*\n/m, "");
  // Not `no_bundle`: while it bundles, wrangler adds what drains a refused request's body, without which the local server cuts the connection.
  if (bundled) text = text.replace(/^(minify|upload_source_maps) = .*\n/gm, "");
  if (raised) text = text.replaceAll(RATE_LIMIT, "$11000000");
  const name = `${main.replaceAll(/[^\w.-]+/g, "-")}${raised ? "-raised" : ""}.toml`;
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
