// Judges the calls of a response that have no result: their code is read as one notebook, and of other kinds the response around them. Pure.
import * as z from "zod";
import { analyzeNotebook, type Finding } from "../../python/notebook.ts";
import { PYTHON_VOCABULARY } from "../../python/words/vocabulary.ts";
import { CODE_INTERPRETER, itemKind, type ItemKind } from "./item-kinds.ts";
import type { StoredCall, StoredRecord } from "../schema.ts";
import { isUnfinished } from "../verdict.ts";

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

type CodeCall = Pick<StoredCall, "id" | "type" | "container_id" | "request" | "request_cut">;

/** What a judgement needs to know of the run. */
type RunFacts = Pick<StoredRecord, "request" | "cites" | "refused_include">;

/** Gives each call without a result the verdict of its status, of its code, or of the response around it, and a hint where its code surely raises. */
export function judgeCalls(calls: StoredCall[], run: RunFacts): StoredCall[] {
  const findings = readNotebooks(calls, run.request);
  return calls.map((call) => {
    // What a control has proven stays proven.
    if (call.source !== null || call.verdict === "lost") return call;
    if (isUnfinished(call)) return { ...call, verdict: "unfinished", hint: null };
    const kind = itemKind(call.type) ?? CODE_INTERPRETER;
    if (kind !== CODE_INTERPRETER) {
      const isSuspect = suggestsResult(kind, call, calls, run);
      return { ...call, verdict: isSuspect ? "suspect" : "silent", hint: null };
    }
    const finding = findings.get(call.id) ?? UNKNOWN;
    const verdict = finding.reason === null ? "silent" : "suspect";
    return { ...call, verdict, hint: unboundNamesHint(finding) };
  });
}

// What was not asked for can't be missing.
function suggestsResult(
  kind: ItemKind,
  call: StoredCall,
  calls: StoredCall[],
  { cites, refused_include }: RunFacts,
): boolean {
  if (!kind.missing.includes(call.state)) return false;
  if (kind.include !== null && refused_include.includes(kind.include)) return false;
  switch (kind.suspicion) {
    case "cites_file":
      return cites.files;
    case "cites_url":
      return cites.urls && !calls.some((one) => one.type === kind.type && one.source !== null);
    case "hosted":
      return call.container_id !== null;
    case "code":
    case "completed":
  }
  return true;
}

// By the call's id. The calls of a container are one notebook.
function readNotebooks(
  calls: readonly CodeCall[],
  request: StoredRecord["request"],
): Map<string, Finding> {
  const isFresh = beginsContainer(request);
  const findings = new Map<string, Finding>();
  const cellCalls = calls.filter(({ type }) => type === CODE_INTERPRETER.type);
  for (const notebook of Map.groupBy(cellCalls, (call) => call.container_id).values()) {
    const cells = notebook.map(({ request: code, request_cut }) => ({
      code,
      isWhole: request_cut !== true,
    }));
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
