// Judges the calls of a response by their code, read as one notebook. Pure.
import * as z from "zod";
import { analyzeNotebook, type Finding } from "../python/notebook.ts";
import { PYTHON_VOCABULARY } from "../python/words/vocabulary.ts";
import type { StoredCall, StoredRecord } from "./schema.ts";
import { isUnfinished } from "./verdict.ts";

/** Names that a hint lists. */
const MAX_NAMES = 3;

const Request = z.looseObject({
  tools: z.array(z.unknown()),
  input: z.unknown().optional(),
  previous_response_id: z.null().optional(),
  conversation: z.null().optional(),
});
const AutoTool = z.looseObject({
  type: z.literal("code_interpreter"),
  container: z.looseObject({ type: z.literal("auto") }),
});
const EarlierCall = z.looseObject({ type: z.enum(["code_interpreter_call", "item_reference"]) });

const UNKNOWN: Finding = { reason: "is not known", unbound: [] };

type CodeCall = Pick<StoredCall, "id" | "container_id" | "code" | "code_cut">;

/**
 * Gives each call without outputs the verdict of its status or of its code, and a hint where its code surely raises.
 * @param request The run's request, or null when it is not known.
 */
export function judgeCalls(calls: StoredCall[], request: StoredRecord["request"]): StoredCall[] {
  const findings = readNotebooks(calls, request);
  return calls.map((call) => {
    // What a control has proven stays proven.
    if (call.source !== null || call.verdict === "lost") return call;
    if (isUnfinished(call)) return { ...call, verdict: "unfinished", hint: null };
    const finding = findings.get(call.id) ?? UNKNOWN;
    const verdict = finding.reason === null ? "silent" : "suspect";
    return { ...call, verdict, hint: unboundNamesHint(finding) };
  });
}

// By the call's id. The calls of a container are one notebook.
function readNotebooks(
  calls: readonly CodeCall[],
  request: StoredRecord["request"],
): Map<string, Finding> {
  const isFresh = beginsContainer(request);
  const findings = new Map<string, Finding>();
  for (const notebook of Map.groupBy(calls, (call) => call.container_id).values()) {
    const cells = notebook.map(({ code, code_cut }) => ({ code, isWhole: code_cut !== true }));
    analyzeNotebook(cells, isFresh, PYTHON_VOCABULARY).forEach((finding, index) => {
      findings.set(notebook[index]?.id ?? "", finding);
    });
  }
  return findings;
}

function unboundNamesHint({ unbound }: Finding): string | null {
  if (unbound.length === 0) return null;
  const listed = unbound.slice(0, MAX_NAMES).map((name) => `\`${name}\``);
  const more = unbound.length > MAX_NAMES ? " and others" : "";
  return `No call of this response defines ${listed.join(", ")}${more}, so Python raises a NameError here, and OpenAI returns no outputs for code that raises.`;
}

// OpenAI reuses a container when an earlier call is in the model's context.
function beginsContainer(request: StoredRecord["request"]): boolean {
  const parsed = Request.safeParse(request);
  if (!parsed.success) return false;
  const { tools, input } = parsed.data;
  if (Array.isArray(input) && input.some((item) => EarlierCall.safeParse(item).success))
    return false;
  return tools.some((tool) => AutoTool.safeParse(tool).success);
}
