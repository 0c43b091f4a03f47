import { randomBytes } from "node:crypto";

/** A new id in OpenAI's manner: the prefix, an underscore, 48 hexadecimal digits. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString("hex")}`;
}

/** A time in milliseconds as the unix seconds that the API speaks of. */
export function toUnixSeconds(milliseconds = Date.now()): number {
  return Math.floor(milliseconds / 1000);
}
