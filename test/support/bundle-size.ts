// The size of a Worker's bundle, as `wrangler deploy --dry-run` prints it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";

/**
 * Builds a Worker and measures what a deploy would upload.
 * @param config The path of its wrangler.toml.
 * @returns KiB, gzipped.
 * @throws When wrangler fails.
 */
export async function measureBundleKib(config: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "bundle-"));
  try {
    const wrangler = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run"];
    const args = [...wrangler, "--outdir", folder, "--config", config];
    const child = startChild([process.execPath, ...args]);
    const [, gzippedKib] = await child.waitForOutput(/Total Upload: .* gzip: ([\d.]+) KiB/);
    const exitCode = await child.waitForExit();
    if (exitCode !== 0) throw new Error(`wrangler ended with ${exitCode}.\n${child.output()}`);
    return Number(gzippedKib);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
