// A form that is filled from a run, and sent by a browser, starts the same request.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseTrigger, type CreateParams } from "../../../src/api/create-params.ts";
import { parseJsonBody, toJsonBody } from "../../../src/api/json-body.ts";
import {
  parseTriggerForm,
  toCreateParams,
  type TriggerForm,
} from "../../../src/api/trigger-form.ts";
import { prefill, type StartedRun } from "../../../src/api/trigger-prefill.ts";
import { redactRequest } from "../../../src/record/request/redact.ts";
import { runs } from "../../support/property-runs.ts";

/** Only the model is read here. */
const env = z.custom<Env>().parse({ OPENAI_MODEL: "gpt-default" });

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "",
    " ",
    "\n first line break",
    "ends \n",
    "a\r\nb",
    "a\rb",
    "NUL \0",
    "\ud800",
    "<b>&\"'",
  ),
);
const fileId = fc.oneof(fc.stringMatching(/^file-[\w-]{0,9}$/), text);
const container = fc.record(
  {
    type: fc.constant("auto"),
    memory_limit: fc.constantFrom("1g", "4g", "16g", "64g", "128g", null),
    file_ids: fc.array(fileId, { maxLength: 3 }),
    network_policy: fc.constant({ type: "disabled" }),
  },
  { requiredKeys: ["type"] },
);
const interpreter = fc.oneof(
  container.map((one) => ({ type: "code_interpreter", container: one })),
  fc.constant({ type: "code_interpreter", container: "cntr_1" }),
);
const tools = fc.oneof(
  fc.array(interpreter, { maxLength: 2 }),
  fc.tuple(interpreter, fc.constant({ type: "web_search" })),
  fc.jsonValue({ maxDepth: 2 }),
);
const ownParams = fc.record(
  {
    input: fc.oneof(text, fc.jsonValue({ maxDepth: 3 })),
    model: fc.oneof(text, fc.constant(null)),
    previous_response_id: fc.oneof(text, fc.constantFrom("resp_1", null)),
    tools,
    include: fc.array(
      fc.constantFrom("code_interpreter_call.outputs", "message.output_text.logprobs", "x"),
      { maxLength: 3 },
    ),
    metadata: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
    instructions: text,
    prompt: fc.constantFrom(null, { id: "pmpt_1" }),
    reasoning: fc.jsonValue({ maxDepth: 2 }),
    retention_days: fc.integer({ min: 1, max: 3_650 }),
  },
  { requiredKeys: [] },
);
const flags = fc.constantFrom(
  {},
  { hold: true },
  { stream: true },
  { control: true },
  { control: true, stream: true },
);
const anyParams = fc.tuple(ownParams, flags).map(([params, given]) => ({ ...params, ...given }));

test("a form that is filled from a run and sent again starts the same request with the same flags", () => {
  let sent = 0;
  const property = fc.property(anyParams, (params) => {
    const first = tryToParse(params);
    fc.pre(first !== null && asks(first));
    const { form, gaps } = prefill(toRun(first), {});
    expect(gaps).toEqual([]);
    const again = parseTrigger(env, toJsonBody(toCreateParams(sendByBrowser(form))));
    expect({ request: again.request, options: again.options }).toEqual({
      request: first.request,
      options: first.options,
    });
    sent += 1;
  });
  fc.assert(property, runs(500));
  expect(sent).toBeGreaterThan(100);
});

function tryToParse(params: Record<string, unknown>): CreateParams | null {
  try {
    return parseTrigger(env, parseJsonBody(new TextEncoder().encode(JSON.stringify(params))));
  } catch {
    return null;
  }
}

// OpenAI refuses a request that asks nothing, so no run has one.
function asks({ request }: CreateParams): boolean {
  return ["input", "prompt", "conversation", "previous_response_id"].some((name) =>
    Object.hasOwn(request, name),
  );
}

/** What the record of a run has of its request. */
function toRun({ request, options }: CreateParams): StartedRun {
  return {
    request: redactRequest(request),
    input: null,
    tools: null,
    model: null,
    held: options.hold ? { broke_at: null } : null,
    streamed: options.stream,
    control: null,
    control_due: options.control,
    retention_days: options.retention_days,
  };
}

/** The form as the Worker gets it from a browser that was shown it. */
function sendByBrowser(form: TriggerForm): TriggerForm {
  const AREAS = ["input", "advanced"];
  const fields = Object.entries(form).map(([name, value]): [string, string] => {
    const parsed = value.replaceAll("\0", "\ufffd").replaceAll(/\r\n?/g, "\n");
    const typed = AREAS.includes(name) ? parsed : parsed.replaceAll("\n", "");
    return [name, typed.replaceAll("\n", "\r\n").toWellFormed()];
  });
  const sent = new URLSearchParams(fields.filter(([, value]) => value !== ""));
  return parseTriggerForm({ memory: "", ...Object.fromEntries(sent) });
}
