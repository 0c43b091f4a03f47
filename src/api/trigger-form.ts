// The form of a new run as it was sent, and the create parameters that it stands for.
import * as z from "zod";
import { FieldError, toParams } from "../../public/assets/form-params.js";
import { Problem } from "../errors.ts";
import { EXAMPLE_REQUEST } from "../openai/client.ts";
import { assertSafeJson } from "./json-body.ts";

const text = z.string().catch("");

/** The fields of the form as they were sent; an empty text when a field was left out. */
export const TriggerForm = z.object({
  input: text,
  model: text,
  memory: text,
  file_ids: text,
  previous_response_id: text,
  hold: text,
  stream: text,
  control: text,
  retention_days: text,
  advanced: text,
});
export type TriggerForm = z.infer<typeof TriggerForm>;

/** The memory that a container can have. */
export const MEMORY_LIMITS = ["1g", "4g", "16g", "64g"] as const;

/** A form without anything typed. */
export const EMPTY_FORM = TriggerForm.parse({});

/** The form as it is opened: it asks what the bug report asked. */
export const EXAMPLE_FORM: TriggerForm = { ...EMPTY_FORM, input: EXAMPLE_REQUEST.input };

/** Without an `input`, a response needs one of these. */
const INPUT_SOURCES = ["input", "prompt", "conversation", "previous_response_id"];

/**
 * Parses the form.
 * @param form A parsed form body.
 * @throws Problem 400 when it has none of the form's fields.
 */
export function parseTriggerForm(form: Record<string, unknown>): TriggerForm {
  const isOurs = Object.keys(TriggerForm.shape).some((name) => Object.hasOwn(form, name));
  if (isOurs) return TriggerForm.parse(form);
  throw new Problem(
    "bad_request",
    "The body is neither a JSON object nor the form of a new run. Send a JSON object of Responses create parameters.",
  );
}

/**
 * The create parameters and flags that a form stands for.
 * @throws Problem 400 whose `param` is the field at fault.
 */
export function toCreateParams(form: TriggerForm): Record<string, unknown> {
  const params = readParams(form);
  if (INPUT_SOURCES.some((name) => Object.hasOwn(params, name))) return params;
  throw new Problem("bad_request", "The input is empty.", { param: "input" });
}

/**
 * The same of a form that may ask nothing yet.
 * @throws Problem 400 whose `param` is the field at fault.
 */
export function readParams(form: TriggerForm): Record<string, unknown> {
  try {
    return assertSafeJson(toParams(form));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const { field, message } = error;
    throw new Problem(field === "advanced" ? "bad_json" : "bad_request", message, { param: field });
  }
}
