// Bodies of requests, from a script as JSON or from a page as a form.
import type { Context, Next } from "hono";
import * as z from "zod";
import { parseJsonBody, type JsonBody } from "../../api/json-body.ts";
import { Problem } from "../../errors.ts";
import type { App } from "../middleware/auth.ts";
import { wantsHtml } from "../wants-html.ts";

const Fields = z.record(z.string(), z.unknown());

/** Bytes of white space, and of a byte order mark, that can stand before JSON. */
const BLANK_BYTES = new Set([0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]);
const OPENING_BRACE = 0x7b;

/**
 * Whether the request came from a page's form. A body that begins with a brace is JSON: curl declares every body as a form unless it is told otherwise, and no browser begins one so.
 */
export async function isFormRequest(c: Context<App>): Promise<boolean> {
  const type = (c.req.header("content-type") ?? "").toLowerCase();
  const isDeclared =
    type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/form-data");
  return isDeclared && !beginsWithBrace(await c.req.bytes());
}

function beginsWithBrace(body: Uint8Array): boolean {
  return body.find((byte) => !BLANK_BYTES.has(byte)) === OPENING_BRACE;
}

/** Redirects a browser's action to the run's page, which follows the run; scripts get the answer itself. */
export async function redirectToRun(c: Context<App>, next: Next): Promise<void> {
  await next();
  if (!wantsHtml(c) || !c.res.ok) return;
  c.res = c.redirect(`/results/${c.req.param("id")}?follow=1`, 303);
}

/**
 * Reads the body of a request as JSON; an empty body counts as an empty object.
 * @throws Problem 400 when it is not JSON.
 */
export async function readJsonBody(c: Context<App>): Promise<JsonBody> {
  return parseJsonBody(await c.req.arrayBuffer());
}

/**
 * Reads the fields of a form, or of a JSON object in its place.
 * @throws Problem 400 when the body is neither.
 */
export async function readForm(c: Context<App>): Promise<Record<string, unknown>> {
  if (beginsWithBrace(await c.req.bytes())) return Fields.parse((await readJsonBody(c)).value);
  try {
    return await c.req.parseBody();
  } catch {
    throw new Problem(
      "bad_request",
      "The body is not the form that its Content-Type declares. Send a form, or JSON with Content-Type: application/json.",
    );
  }
}

/** A form's field as text; empty when it is a file, or not there. */
export function formField(form: Record<string, unknown>, name: string): string {
  const value = form[name];
  return typeof value === "string" ? value : "";
}
