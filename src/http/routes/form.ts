// The trigger's body, as JSON from a script or as a form from its page.
import type { Context, Next } from "hono";
import * as z from "zod";
import { Problem } from "../../errors.ts";
import { lookable, readJson } from "../../api/json-body.ts";
import { EXAMPLE } from "../../openai/client.ts";
import type { App } from "../middleware/auth.ts";

const text = z.string().catch("");

/** What the page's form sends. */
export const Typed = z.object({
  input: text,
  model: text,
  memory: text,
  control: text,
  replay: text,
  hold: text,
  advanced: text,
});
export type Typed = z.infer<typeof Typed>;

const Parameters = z.record(z.string(), z.unknown());

/** Whether the request came from a page's form. */
export function askedByForm(c: Context<App>): boolean {
  const type = c.req.header("content-type") ?? "";
  return (
    type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/form-data")
  );
}

/** Leads a form's action back to the run's page, which follows what comes of it; scripts get the answer itself. */
export async function leadBack(c: Context<App>, next: Next): Promise<void> {
  await next();
  if (!askedByForm(c) || !c.res.ok) return;
  c.res = c.redirect(`/results/${c.req.param("id")}?follow=1`, 303);
}

/**
 * The parameters and flags that a script sent. No body at all asks for the example.
 * @param c The request's context.
 * @throws Problem 400 for a body that isn't JSON.
 */
export async function readBody(c: Context<App>): Promise<unknown> {
  return readJson(await c.req.arrayBuffer());
}

/**
 * What a form sent.
 * @param c The request's context.
 * @throws Problem 400 for a body that is no form.
 */
export async function readForm(c: Context<App>): Promise<Record<string, unknown>> {
  try {
    return await c.req.parseBody();
  } catch {
    throw new Problem(400, "bad_request", "The body is not the form that its Content-Type says.");
  }
}

/**
 * What was typed into the page's form.
 * @param form What a form sent.
 * @throws Problem 400 when it is none of the page's: curl says so of JSON, unless it is told otherwise.
 */
export function typedOf(form: Record<string, unknown>): Typed {
  if (Object.keys(Typed.shape).some((name) => Object.hasOwn(form, name))) return Typed.parse(form);
  const message =
    "This is not what the trigger's form sends. For JSON say so: Content-Type: application/json.";
  throw new Problem(400, "bad_request", message);
}

/**
 * The parameters that a form asks for; what its advanced box says comes last.
 * @param typed What was typed.
 * @throws Problem 400 for an advanced box that holds no JSON object.
 */
export function bodyOf(typed: Typed): Record<string, unknown> {
  const input = typed.input.trim();
  const model = typed.model.trim();
  return {
    ...(input === "" ? {} : { input }),
    ...(model === "" ? {} : { model }),
    ...interpreter(typed.memory),
    ...(typed.control === "" ? {} : { control: true }),
    ...(typed.replay === "" ? {} : { replay: true }),
    ...(typed.hold === "" ? {} : { hold: true }),
    ...advanced(typed.advanced.trim()),
  };
}

function interpreter(memory: string): Record<string, unknown> {
  if (memory === "none") return {};
  const container =
    memory === "" ? EXAMPLE.tools[0]?.container : { type: "auto", memory_limit: memory };
  return { tools: [{ type: "code_interpreter", container }] };
}

function advanced(json: string): Record<string, unknown> {
  if (json === "") return {};
  try {
    return Parameters.parse(lookable(JSON.parse(json)));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "bad_json", "The advanced box must hold one JSON object.", {
      param: "advanced",
    });
  }
}

/**
 * A form's field as text; a file or nothing is the empty text.
 * @param form What the form sent.
 * @param name The field's name.
 */
export function field(form: Record<string, unknown>, name: string): string {
  const value = form[name];
  return typeof value === "string" ? value : "";
}
