// Runs wrangler, after it has written its arguments and its environment to the file that WRANGLER_CALLS names.
import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WRANGLER = fileURLToPath(
  new URL("../../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);

const args = process.argv.slice(2);
const line = JSON.stringify({ args, environment: process.env });
appendFileSync(process.env["WRANGLER_CALLS"] ?? "", `${line}\n`);
const { status } = spawnSync(process.execPath, [WRANGLER, ...args], { stdio: "inherit" });
process.exitCode = status ?? 1;
