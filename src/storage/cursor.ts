// A list's cursor as the outside has it: KV's own with a signature, so that only what was given out is taken back.
import { ACCESS_TOKEN, setting } from "../config.ts";
import { Problem } from "../errors.ts";

const HMAC = { name: "HMAC", hash: "SHA-256" };
const encoder = new TextEncoder();

/**
 * Signs a cursor of KV's.
 * @param env The Worker's environment.
 * @param cursor What KV gave.
 */
export async function sealCursor(env: Env, cursor: string): Promise<string> {
  const signature = await crypto.subtle.sign(HMAC, await keyOf(env), encoder.encode(cursor));
  return `${toHex(new Uint8Array(signature))}.${cursor}`;
}

/**
 * The cursor of KV's in one that was given out.
 * @param env The Worker's environment.
 * @param sealed What came in.
 * @throws Problem 400 for a cursor that nobody gave.
 */
export async function openCursor(env: Env, sealed: string): Promise<string> {
  const dot = sealed.indexOf(".");
  const cursor = sealed.slice(dot + 1);
  const signature = fromHex(sealed.slice(0, Math.max(0, dot)));
  const key = await keyOf(env);
  if (await crypto.subtle.verify(HMAC, key, signature, encoder.encode(cursor))) return cursor;
  throw unknownCursor();
}

/** What to do with a cursor that nobody gave, or that KV has forgotten. */
export function unknownCursor(): Problem {
  const message = "The cursor is not one that the list or an export gave. Start without it.";
  return new Problem(400, "bad_cursor", message);
}

// A new access token ends cursors as it ends sessions.
function keyOf(env: Env): Promise<CryptoKey> {
  const secret = encoder.encode(`cursor ${setting(env, ACCESS_TOKEN)}`);
  return crypto.subtle.importKey("raw", secret, HMAC, false, ["sign", "verify"]);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
