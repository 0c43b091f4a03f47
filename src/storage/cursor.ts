// The list's cursor as callers get it: KV's own with a signature. Local KV accepts any text as a cursor, so only ours may pass.
import { ACCESS_TOKEN, setting } from "../config.ts";
import { Problem } from "../errors.ts";

const HMAC = { name: "HMAC", hash: "SHA-256" };
const HEX_SIGNATURE = /^[0-9a-f]{64}$/;
const encoder = new TextEncoder();

/** Signs a cursor of KV's. */
export async function signCursor(env: Env, cursor: string): Promise<string> {
  const signature = await crypto.subtle.sign(HMAC, await importKey(env), encoder.encode(cursor));
  return `${new Uint8Array(signature).toHex()}.${cursor}`;
}

/**
 * Extracts KV's cursor from a signed one.
 * @throws Problem 400 `bad_cursor` when the signature is not ours.
 */
export async function verifyCursor(env: Env, signedCursor: string): Promise<string> {
  const dot = signedCursor.indexOf(".");
  const hex = signedCursor.slice(0, Math.max(0, dot));
  const cursor = signedCursor.slice(dot + 1);
  if (!HEX_SIGNATURE.test(hex)) throw badCursor();
  const key = await importKey(env);
  const signature = Uint8Array.fromHex(hex);
  if (await crypto.subtle.verify(HMAC, key, signature, encoder.encode(cursor))) return cursor;
  throw badCursor();
}

/** The refusal of a cursor that is not ours, or that KV does not accept any more. */
export function badCursor(): Problem {
  const message = "The cursor is not one that the list or an export returned. Start without it.";
  return new Problem("bad_cursor", message);
}

// A new access token ends cursors as it ends sessions.
function importKey(env: Env): Promise<CryptoKey> {
  const secret = encoder.encode(`cursor ${setting(env, ACCESS_TOKEN)}`);
  return crypto.subtle.importKey("raw", secret, HMAC, false, ["sign", "verify"]);
}
