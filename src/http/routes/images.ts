// Images in outputs, each from a URL of its own: the pages never hold one.
import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../errors.ts";
import { elementsOf } from "../../openai/call-items.ts";
import { valueOf } from "../../lib/json-scan.ts";
import { pictureOf } from "../../views/text/image.ts";
import { result } from "./results.ts";
import type { App } from "../middleware/auth.ts";

const Image = z.looseObject({ type: z.literal("image"), url: z.string() });

/**
 * One image of a call, of the response or of its control.
 * @param c The request's context.
 * @throws Problem 404 unless it is a PNG, JPEG, GIF or WebP.
 */
export async function image(c: Context<App>): Promise<Response> {
  const { calls, others } = await result(c);
  const call = [...calls, ...others].find(({ id }) => id === c.req.param("call_id"));
  const output = Image.safeParse(valueOf(elementsOf(call?.outputs)[Number(c.req.param("n"))]));
  const picture = output.success ? pictureOf(output.data.url) : null;
  if (picture === null) {
    throw new Problem(404, "no_image", "There is no PNG, JPEG, GIF or WebP at this place.");
  }
  return c.body(picture.bytes, 200, {
    "content-type": picture.kind,
    "cache-control": "private, max-age=86400",
    "x-content-type-options": "nosniff",
  });
}
