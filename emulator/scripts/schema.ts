/** The schema of a script: which requests it answers, and with what. */
import * as z from "zod";
import { isPattern } from "../lib/match.ts";

const seconds = z.number().min(0);
const pairs = z.record(z.string(), z.string());
const anyRecord = z.record(z.string(), z.unknown());

/** Which requests a script answers. All conditions must hold; without any it answers every request. */
const Match = z.strictObject({
  /** A regular expression for the text of the last user message. */
  input: z.string().refine(isPattern, "not a regular expression").optional(),
  model: z.string().optional(),
  /** Pairs that the request's metadata must contain. */
  metadata: pairs.optional(),
  /** The type of one of the request's tools, such as "code_interpreter". */
  tool: z.string().optional(),
  /** Headers that the request must have, with their values. */
  header: pairs.optional(),
  /** How many rounds of tool outputs the model has got so far; 0 before the first. */
  turn: z.int().min(0).optional(),
});

/** What every item of an answer takes. */
const timing = {
  /** Seconds between the item's first events and its end. */
  takes: seconds.optional(),
  /** Seconds before each delta of this item. */
  pace: seconds.optional(),
};

const CodeStep = z.strictObject({ code: z.string(), ...timing });
const TextStep = z.strictObject({
  text: z.string(),
  phase: z.enum(["commentary", "final_answer"]).optional(),
  annotations: z.array(anyRecord).optional(),
  logprobs: z.array(z.unknown()).optional(),
  /** Whether the text cites the files that the run wrote. */
  cites_files: z.boolean().optional(),
  /** Whether the model stops in the middle: the message has half of the text and the status `incomplete`. */
  is_halved: z.boolean().optional(),
  ...timing,
});
const RefusalStep = z.strictObject({ refusal: z.string(), ...timing });
const ReasoningStep = z.strictObject({
  /** The parts of the summary. */
  reasoning: z.union([z.string(), z.array(z.string())]),
  ...timing,
});
const FunctionCallStep = z.strictObject({
  function_call: z.strictObject({
    name: z.string(),
    /** By default a value that fits the tool's schema. */
    arguments: z.union([z.string(), anyRecord]).optional(),
    call_id: z.string().optional(),
  }),
  ...timing,
});
const WebSearchStep = z.strictObject({
  web_search: z.strictObject({
    query: z.string().default("emulator"),
    /** URLs; without them the search has no sources at all. */
    sources: z.array(z.string()).optional(),
    /** Replaces the search action, for `open_page` and `find_in_page`. */
    action: z.looseObject({ type: z.string() }).optional(),
    status: z.enum(["completed", "failed"]).default("completed"),
  }),
  ...timing,
});
const FileSearchStep = z.strictObject({
  file_search: z.strictObject({
    queries: z.array(z.string()).default(["emulator"]),
    results: z.array(anyRecord).default([]),
    status: z.enum(["completed", "incomplete", "failed"]).default("completed"),
  }),
  ...timing,
});
const McpCallStep = z.strictObject({
  mcp_call: z.strictObject({
    server_label: z.string().default("emulator"),
    name: z.string(),
    arguments: z.union([z.string(), anyRecord]).default("{}"),
    output: z.string().optional(),
    /** The text of a failed execution, or the whole error object. */
    error: z.union([z.string(), anyRecord]).optional(),
  }),
  ...timing,
});
const ImageStep = z.strictObject({
  image_generation: z.strictObject({
    /** Base64; by default a PNG of one pixel. */
    result: z.string().nullable().optional(),
    partial_images: z.int().min(0).default(0),
    status: z.enum(["completed", "generating", "failed"]).default("completed"),
  }),
  ...timing,
});
const ShellOutput = z.strictObject({
  stdout: z.string().default(""),
  stderr: z.string().default(""),
  /** The exit code; null: the command timed out. */
  exit_code: z.int().nullable().default(0),
});
export type ShellOutput = z.infer<typeof ShellOutput>;
const ShellStep = z.strictObject({
  shell: z.strictObject({
    commands: z.array(z.string()),
    /** One output a command. */
    outputs: z.array(ShellOutput).default([]),
    /** Files that the commands write, as text by path or name. */
    files: pairs.default({}),
  }),
  ...timing,
});
/** Any item, as it stands in `output`. An id is added if it has none. */
const ItemStep = z.strictObject({ item: z.looseObject({ type: z.string() }), ...timing });

const WaitStep = z.strictObject({ wait: seconds });
const PaceStep = z.strictObject({ pace: seconds });
/** Breaks the connection of the request that created the run. */
const CutStep = z.strictObject({ cut: z.literal(true) });

const IncompleteStep = z.strictObject({ incomplete: z.string() });
const FailedStep = z.strictObject({
  failed: z.union([z.string(), z.strictObject({ code: z.string(), message: z.string() })]),
});
const ErrorStep = z.strictObject({
  error: z.strictObject({
    type: z.string().default("server_error"),
    code: z.union([z.string(), z.number()]).nullable().default("server_error"),
    message: z.string().default("The emulator's script says so."),
    param: z.string().nullable().default(null),
  }),
  /** Whether the event's members stand at its top level, as the SDK's types say, and not in `error`, as recorded. */
  is_flat: z.boolean().default(false),
  /** Whether `response.failed` follows. */
  failed_follows: z.boolean().default(true),
});

/** The member that a step is named by comes first in its schema. */
const STEPS = [
  CodeStep,
  TextStep,
  RefusalStep,
  ReasoningStep,
  FunctionCallStep,
  WebSearchStep,
  FileSearchStep,
  McpCallStep,
  ImageStep,
  ShellStep,
  ItemStep,
  WaitStep,
  PaceStep,
  CutStep,
  IncompleteStep,
  FailedStep,
  ErrorStep,
] as const;

export const Step = z.union(STEPS, {
  error: ({ input }) => `not a step: ${explainMismatch(input)}`,
});
export type Step = z.infer<typeof Step>;
/** A step as a script's author writes it. */
export type StepParams = z.input<typeof Step>;
export type CodeStep = z.infer<typeof CodeStep>;
export type TextStep = z.infer<typeof TextStep>;
export type ShellStep = z.infer<typeof ShellStep>;
export type EndStep = z.infer<typeof IncompleteStep | typeof FailedStep | typeof ErrorStep>;
/** A step that adds an item which needs no execution. */
export type ItemStep = Exclude<
  Step,
  CodeStep | ShellStep | EndStep | z.infer<typeof WaitStep | typeof PaceStep | typeof CutStep>
>;

/** Says why a value is no step: the first fault of the step that it names, or that it names none. */
function explainMismatch(value: unknown): string {
  if (typeof value !== "object" || value === null) return "expected an object";
  const named = STEPS.find((step) => getStepName(step) in value);
  const issue = named?.safeParse(value).error?.issues[0];
  if (issue) return `${issue.path.join(".") || "it"}: ${issue.message}`;
  return `it has none of ${STEPS.map(getStepName).join(", ")}`;
}

function getStepName({ shape }: (typeof STEPS)[number]): string {
  return Object.keys(shape)[0] ?? "";
}

/** A script: what the model answers to the requests that match. */
export const Script = z.strictObject({
  match: Match.default({}),
  /** The number of requests that it answers; -1: all, until the scripts are cleared. */
  times: z.int().min(-1).default(1),
  then: z.array(Step),
  /** Seconds before each delta of a stream. */
  pace: seconds.optional(),
  /** Members that replace those of the response object, such as `usage`. */
  response: anyRecord.default({}),
});
export type Script = z.infer<typeof Script>;
/** A script as its author writes it. */
export type ScriptParams = z.input<typeof Script>;
