// What the reading of code says of one call by itself, as the only call of a response in a new container.
import { analyzeNotebook } from "../../src/python/notebook.ts";
import { PYTHON_VOCABULARY } from "../../src/python/words/vocabulary.ts";
import { toCodeCall } from "./code-call.ts";
import { judgeCalls } from "../../src/record/calls/notebook.ts";

const REQUEST = { tools: [{ type: "code_interpreter", container: { type: "auto" } }] };

/** Why running this code should have shown something; null when nothing suggests it. */
export function findOutputReason(code: string): string | null {
  const [finding] = analyzeNotebook([{ code, isWhole: true }], true, PYTHON_VOCABULARY);
  return finding?.reason ?? null;
}

/** The verdict of a call with this code and with empty outputs. */
export function judgeCode(code: string | null): string | null {
  const call = toCodeCall({ container_id: "cntr_1", code });
  const run = { request: REQUEST, cites: { files: false, urls: false }, refused_include: [] };
  const [judged] = judgeCalls([{ ...call, source: null, verdict: null, hint: null }], run);
  return judged?.verdict ?? null;
}
