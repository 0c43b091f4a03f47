/** Request bodies and file responses. */
import type { Context } from "hono";
import { ApiError } from "../errors.ts";

/** Parses the JSON body; an empty body counts as an empty object. */
export async function parseJsonBody(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "We could not parse the JSON body of your request.");
  }
}

/** Parses the fields of a multipart or JSON body. */
export async function parseFormBody(c: Context): Promise<unknown> {
  if (c.req.header("content-type")?.includes("json")) return parseJsonBody(c);
  return c.req.parseBody().catch(() => {
    throw new ApiError(400, "We could not parse the multipart body of your request.");
  });
}

/** Responds with the bytes of a file. */
export function sendBytes(c: Context, bytes: Uint8Array<ArrayBuffer>): Response {
  return c.body(bytes, 200, { "content-type": "application/octet-stream" });
}
