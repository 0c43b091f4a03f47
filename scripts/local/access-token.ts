// The access token of the Worker on this machine. A link and an exported key work again after the next start.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TOKEN = /^[0-9a-f]{32}$/;

/** Reads the token that `folder` keeps; creates it when there is none. */
export function readOrCreateToken(folder: string): string {
  const path = join(folder, "access-token");
  const kept = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  if (TOKEN.test(kept)) return kept;
  const token = randomBytes(16).toString("hex");
  mkdirSync(folder, { recursive: true });
  // An existing file would keep its mode.
  rmSync(path, { force: true });
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
}
