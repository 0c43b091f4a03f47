// Bodies of requests, from a script as JSON or from a page as a form.
import type { Context, Next } from "hono";
import { parseJsonBody, type JsonBody } from "../../api/json-body.ts";
import { Problem } from "../../errors.ts";
import type { App } from "../middleware/auth.ts";

/** Whether the request came from a page's form. */
export function isFormRequest(c: Context<App>): boolean {
  const type = c.req.header("content-type") ?? "";
  return (
    type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/form-data")
  );
}

/** Redirects a form's action to the run's page, which follows the run; scripts get the answer itself. */
export async function redirectToRun(c: Context<App>, next: Next): Promise<void> {
  await next();
  if (!isFormRequest(c) || !c.res.ok) return;
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
 * Reads the body of a request as a form.
 * @throws Problem 400 when it is not the form that its Content-Type declares.
 */
export async function readForm(c: Context<App>): Promise<Record<string, unknown>> {
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
