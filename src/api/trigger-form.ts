// The trigger page's form, and the create parameters that it stands for.
import * as z from "zod";
import { Problem } from "../errors.ts";
import { EXAMPLE_REQUEST } from "../openai/client.ts";
import { assertSafeJson } from "./json-body.ts";

const text = z.string().catch("");

/** The fields of the form as they were sent; an empty text when a field was left out. */
export const TriggerForm = z.object({
  input: text,
  model: text,
  memory: text,
  control: text,
  stream: text,
  hold: text,
  advanced: text,
});
export type TriggerForm = z.infer<typeof TriggerForm>;

const Params = z.record(z.string(), z.unknown());

/**
 * Parses the trigger page's form.
 * @param form A parsed form body.
 * @throws Problem 400 when it has none of the form's fields.
 */
export function parseTriggerForm(form: Record<string, unknown>): TriggerForm {
  const isOurs = Object.keys(TriggerForm.shape).some((name) => Object.hasOwn(form, name));
  if (isOurs) return TriggerForm.parse(form);
  throw new Problem(
    "bad_request",
    "The body is neither a JSON object nor the trigger page's form. Send a JSON object of Responses create parameters.",
  );
}

/**
 * The create parameters and flags that a form stands for. Those of the advanced field override the other fields.
 * @throws Problem 400 `bad_json` when the advanced field is not a JSON object.
 */
export function toCreateParams(form: TriggerForm): Record<string, unknown> {
  // Browsers send line breaks of a form as CR LF.
  const input = form.input.trim().replaceAll("\r\n", "\n");
  const model = form.model.trim();
  return {
    ...(input === "" ? {} : { input }),
    ...(model === "" ? {} : { model }),
    ...toTools(form.memory),
    ...(form.control === "" ? {} : { control: true }),
    ...(form.stream === "" ? {} : { stream: true }),
    ...(form.hold === "" ? {} : { hold: true }),
    ...parseAdvanced(form.advanced.trim()),
  };
}

function toTools(memory: string): Record<string, unknown> {
  if (memory === "none") return {};
  const container =
    memory === "" ? EXAMPLE_REQUEST.tools[0]?.container : { type: "auto", memory_limit: memory };
  return { tools: [{ type: "code_interpreter", container }] };
}

function parseAdvanced(json: string): Record<string, unknown> {
  if (json === "") return {};
  try {
    return Params.parse(assertSafeJson(JSON.parse(json)));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem("bad_json", "The advanced field must hold one JSON object.", {
      param: "advanced",
    });
  }
}
