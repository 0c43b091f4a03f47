import { randomBytes } from "node:crypto";

/** A new id in OpenAI's format: the prefix, an underscore, 48 hexadecimal digits. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString("hex")}`;
}

/** Converts milliseconds to the Unix seconds that the API uses. */
export function toUnixSeconds(milliseconds = Date.now()): number {
  return Math.floor(milliseconds / 1000);
}
