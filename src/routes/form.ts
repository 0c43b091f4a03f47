// The trigger's body, as JSON from a script or as a form from its page.
import type { Context } from "hono";
import { Problem } from "../errors.ts";
import { EXAMPLE } from "../openai.ts";
import type { App } from "./session.ts";

/** Whether the request came from the page's form. */
export function askedByForm(c: Context<App>): boolean {
  const type = c.req.header("content-type") ?? "";
  return (
    type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/form-data")
  );
}

/**
 * The parameters and flags that a caller sent. No body at all asks for the example.
 * @param c The request's context.
 * @throws Problem 400 for a body that isn't JSON.
 */
export async function readBody(c: Context<App>): Promise<unknown> {
  if (askedByForm(c)) return ofForm(await c.req.parseBody());
  const text = await c.req.text();
  if (text.trim() === "") return {};
  return parse(
    text,
    "The body is not JSON. Send a JSON object, with Content-Type: application/json.",
  );
}

// A form left as it was asks for the example, without a model of its own.
function ofForm(form: Record<string, unknown>): Record<string, unknown> {
  const advanced = field(form, "advanced").trim();
  const more =
    advanced === "" ? {} : parse(advanced, "The advanced box does not hold a JSON object.");
  if (typeof more !== "object" || more === null)
    throw new Problem(400, "bad_request", "The advanced box must hold a JSON object.");
  const input = field(form, "input").trim();
  const model = field(form, "model").trim();
  return {
    ...(input === "" ? {} : { input }),
    ...(model === "" ? {} : { model }),
    ...interpreter(field(form, "memory")),
    ...more,
  };
}

function interpreter(memory: string): Record<string, unknown> {
  if (memory === "none") return {};
  const container =
    memory === "" ? EXAMPLE.tools[0]?.container : { type: "auto", memory_limit: memory };
  return { tools: [{ type: "code_interpreter", container }] };
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

function parse(text: string, message: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "bad_request", message);
  }
}
