// Images in outputs, each at a URL of its own, so that no page contains one.
import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../errors.ts";
import { arrayElements, parseValue } from "../../lib/json-scan.ts";
import { decodeImage } from "../../views/text/image.ts";
import type { App } from "../middleware/auth.ts";
import { getRecord } from "./results.ts";

const ImageOutput = z.looseObject({ type: z.literal("image"), url: z.string() });

/**
 * One image of a call, of the run or of its control.
 * @throws Problem 404 unless it is a PNG, JPEG, GIF or WebP.
 */
export async function getImage(c: Context<App>): Promise<Response> {
  const { calls, controlCalls } = await getRecord(c);
  // An id from outside can have half a character, which no URL can.
  const callId = c.req.param("call_id");
  const call = [...calls, ...controlCalls].find(({ id }) => id.toWellFormed() === callId);
  const output = arrayElements(call?.result)[Number(c.req.param("n"))];
  const parsed = ImageOutput.safeParse(parseValue(output));
  const image = parsed.success ? decodeImage(parsed.data.url) : null;
  if (image === null) {
    throw new Problem(
      "not_found",
      "There is no PNG, JPEG, GIF or WebP at this place. The record's `calls` have their outputs.",
    );
  }
  return c.body(image.bytes, 200, {
    "content-type": image.type,
    "cache-control": "private, max-age=86400",
    "x-content-type-options": "nosniff",
  });
}
