// Fills the form of a new run with what a run was started with, so that it can be started again.
import * as z from "zod";
import { whyNotComparable } from "../openai/control.ts";
import { withoutOwnPair } from "../record/request/metadata.ts";
import {
  describePlaceholder,
  findPlaceholders,
  isTooLarge,
  type Placeholder,
} from "../record/request/placeholders.ts";
import type { StoredRecord } from "../record/schema.ts";
import { parseInclude } from "./create-params.ts";
import type { TriggerQuery } from "./queries.ts";
import { EMPTY_FORM, EXAMPLE_FORM, MEMORY_LIMITS, type TriggerForm } from "./trigger-form.ts";

/** Something that the form lacks, or that its next run has not. */
export type Gap = { field: keyof TriggerForm; message: string };

/** A form, and what to do before it can be sent. */
export type Prefill = { form: TriggerForm; gaps: Gap[] };

type RequestFields =
  | "request"
  | "input"
  | "tools"
  | "model"
  | "held"
  | "streamed"
  | "control"
  | "control_due";
/** The fields of a record that the form is filled from. */
export type StartedRun = Pick<StoredRecord, RequestFields | "retention_days">;

type Request = Record<string, unknown>;

// What a text field gives back exactly as it was put there.
const Typed = z
  .string()
  .refine((text) => text.trim() !== "" && text.isWellFormed() && !/[\0\r]/.test(text));
const TypedLine = Typed.refine((text) => text === text.trim() && !text.includes("\n"));

const Interpreter = z.strictObject({
  type: z.literal("code_interpreter"),
  container: z.strictObject({
    type: z.literal("auto"),
    memory_limit: z.enum(MEMORY_LIMITS).optional(),
    file_ids: z
      .array(z.string().regex(/^[\w.-]+$/))
      .min(1)
      .optional(),
  }),
});

/** The parameters that have fields of their own, and the fields' texts. */
const PARAM_FIELDS: Record<string, z.ZodType<Partial<TriggerForm>>> = {
  input: Typed.transform((input) => ({ input })),
  model: TypedLine.transform((model) => ({ model })),
  previous_response_id: TypedLine.transform((id) => ({ previous_response_id: id })),
  tools: z.tuple([Interpreter]).transform(([{ container }]) => ({
    memory: container.memory_limit ?? "",
    file_ids: container.file_ids?.join(" ") ?? "",
  })),
};

/** The input of a response that was asked one thing. */
const OneQuestion = z
  .tuple([
    z.looseObject({ role: z.literal("user"), content: z.tuple([z.looseObject({ text: Typed })]) }),
  ])
  .transform(([{ content }]) => content[0].text);

/**
 * Fills the form.
 * @param run The run to start again; null for the example.
 * @param query Its flags and its input replace those of the run.
 */
export function prefill(run: StartedRun | null, query: TriggerQuery): Prefill {
  const { form, gaps } =
    run === null ? { form: EXAMPLE_FORM, gaps: [] } : fillFromRun(withoutInput(run, query.input));
  const { input = form.input } = query;
  const retention_days = String(run?.retention_days ?? "");
  const filled = { ...form, ...toFlags(run, query), input, retention_days };
  const open = query.input === undefined ? gaps : gaps.filter(({ field }) => field !== "input");
  return { form: filled, gaps: [...open, ...findControlGap(run, filled)] };
}

function withoutInput(run: StartedRun, replacement: string | undefined): StartedRun {
  if (replacement === undefined || run.request === null) return run;
  const { input: _, ...request } = run.request;
  return { ...run, request };
}

function fillFromRun(run: StartedRun): Prefill {
  if (run.request === null) return fillFromResponse(run);
  if (!isTooLarge(run.request)) return fillFromRequest(run.request);
  const message =
    "The request had more than 128 KiB, and of such a one the recorder kept only the model. Type the input, and put its other parameters into the advanced field.";
  return {
    form: { ...EMPTY_FORM, ...readField("model", run.request) },
    gaps: [{ field: "input", message }],
  };
}

// What has no field, and what a field can't give back exactly, goes to the advanced field.
function fillFromRequest(request: Request): Prefill {
  const params = toCallerParams(request);
  const names = Object.keys(PARAM_FIELDS).filter((name) => readField(name, params) !== null);
  const fields = names.map((name) => readField(name, params) ?? {});
  const form = fields.reduce<TriggerForm>((all, one) => ({ ...all, ...one }), {
    ...EMPTY_FORM,
    memory: "none",
  });
  const rest = Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)));
  const advanced = Object.keys(rest).length === 0 ? "" : JSON.stringify(rest, null, 2);
  const gaps = findPlaceholders(params).map((one) => toGap(one, Object.keys(rest)));
  return { form: { ...form, advanced }, gaps: [...gaps, ...findStoreGap(request)] };
}

function readField(name: string, params: Request): Partial<TriggerForm> | null {
  return PARAM_FIELDS[name]?.safeParse(params[name]).data ?? null;
}

function toGap(placeholder: Placeholder, advanced: string[]): Gap {
  const message = describePlaceholder(placeholder);
  const isText = placeholder.path === "input" && !advanced.includes("input");
  return { field: isText ? "input" : "advanced", message };
}

// The parameters as the caller gave them: the recorder fills in the others again.
function toCallerParams(request: Request): Request {
  const { background: _, store: __, stream: ___, include, metadata, ...rest } = request;
  const own = withoutOwnPair(metadata);
  const isOwnEmpty = own !== metadata && JSON.stringify(own) === "{}";
  const isIncludeFilledIn = JSON.stringify(include) === JSON.stringify(parseInclude(rest));
  return {
    ...rest,
    ...(include === undefined || isIncludeFilledIn ? {} : { include }),
    ...(own === undefined || isOwnEmpty ? {} : { metadata: own }),
  };
}

function findStoreGap(request: Request): Gap[] {
  if (request["store"] !== false) return [];
  const message =
    "The request had store: false. A run that is started here is stored at OpenAI, which is needed to fetch it.";
  return [{ field: "advanced", message }];
}

// The run of another program: its request is not known, but its response repeats some of it.
function fillFromResponse({ model, input, tools }: StartedRun): Prefill {
  const question = OneQuestion.safeParse(input).data ?? "";
  const hasInterpreter = tools === null || tools.includes("code_interpreter");
  const others = (tools ?? []).filter((type) => type !== "code_interpreter");
  const named = others.length === 0 ? "" : `, such as those of ${others.join(", ")}`;
  const form = {
    ...EMPTY_FORM,
    input: question,
    memory: hasInterpreter ? "" : "none",
    ...readField("model", { model }),
  };
  const parameters: Gap = {
    field: "advanced",
    message: `The recorder did not start this run, so its parameters are not known${named}. Put them into the advanced field.`,
  };
  if (question !== "") {
    const cut = findPlaceholders({ input: question }).map((one) => toGap(one, []));
    return { form, gaps: [parameters, ...cut] };
  }
  const message = "What this run was asked is not known as one text. Type the input.";
  return { form, gaps: [parameters, { field: "input", message }] };
}

// `hold` goes with neither of the others: what the query asks for stays.
function toFlags(
  run: StartedRun | null,
  query: TriggerQuery,
): Pick<TriggerForm, "hold" | "stream" | "control"> {
  const asksForOthers = query.control === "on" || query.stream === "on";
  const isHeld = (run?.held ?? null) !== null && !asksForOthers;
  const hold = query.hold ?? toFlag(isHeld);
  if (hold === "on") return { hold, stream: "", control: "" };
  const hadControl = run !== null && (run.control !== null || run.control_due);
  return {
    hold: "",
    stream: toField(query.stream ?? toFlag(run?.streamed ?? false)),
    control: toField(query.control ?? toFlag(hadControl)),
  };
}

function toFlag(isOn: boolean): "on" | "off" {
  return isOn ? "on" : "off";
}

// A checkbox that is not checked is left out of a form.
function toField(flag: "on" | "off"): string {
  return flag === "on" ? flag : "";
}

function findControlGap(run: StartedRun | null, { control }: TriggerForm): Gap[] {
  const reason = control === "" ? null : whyNotComparable(run?.request ?? {});
  if (reason === null) return [];
  return [{ field: "control", message: `A control can't run this request: ${reason}.` }];
}
