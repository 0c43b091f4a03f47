// What `/outputs` answers: text only when no output is known to be missing.
import { Problem } from "../../errors.ts";
import { controlOutputsPath, cureOf } from "../../record/calls/cure.ts";
import { itemKind } from "../../record/calls/item-kinds.ts";
import type { RunVerdict, StoredRecord } from "../../record/schema.ts";
import type { OutputsQuery } from "../queries.ts";
import type { CallRepresentation } from "./representation.ts";

/** `text`: what the calls printed. `text_if_any`: the same, when a call has outputs. */
type Rule = "text" | "text_if_any" | "outputs_missing" | "not_finished" | "not_found";

/** The answer to each verdict, of a run or of a call. */
const RULES: Record<RunVerdict, Rule> = {
  captured: "text",
  recovered: "text",
  silent: "text",
  unfinished: "text",
  no_calls: "text",
  suspect: "outputs_missing",
  lost: "outputs_missing",
  gone: "text_if_any",
  abandoned: "text_if_any",
  pending: "not_finished",
  not_found: "not_found",
};

/** Calls that a message lists. */
const MAX_LISTED_CALLS = 5;

/** A run with its calls. */
export type OutputsSubject = {
  record: StoredRecord;
  calls: CallRepresentation[];
  controlCalls: CallRepresentation[];
  /** Seconds until the next observation; null when none is planned. */
  retryAfterSeconds: number | null;
};

/** The verdict that the answer is about, and the calls whose text is sent, or why none is. */
export type OutputsAnswer = { verdict: RunVerdict; answer: CallRepresentation[] | Problem };

/** Chooses the calls of a run, or of its control, whose text is sent. */
export function answerOutputs(
  run: OutputsSubject,
  { call, from, strict = "true" }: OutputsQuery,
): OutputsAnswer {
  const { verdict } = run.record;
  const rule = RULES[verdict];
  if (rule === "not_found") return { verdict, answer: notFound(run) };
  if (from === "control") return { verdict, answer: answerControl(run, call) };
  if (rule === "not_finished") return { verdict, answer: notFinished(run) };
  if (call === undefined) {
    return { verdict, answer: onlyPrinting(judge(run, run.calls, verdict, strict)) };
  }
  const chosen = run.calls[call - 1];
  if (chosen === undefined) return { verdict, answer: noSuchCall(run.calls.length) };
  if ((itemKind(chosen.type)?.texts ?? null) === null) return { verdict, answer: noText(chosen) };
  const own = chosen.verdict ?? verdict;
  return { verdict: own, answer: judge(run, [chosen], own, strict) };
}

// What searches and tools brought was not printed: it is sent only on request, call by call.
function onlyPrinting(answer: CallRepresentation[] | Problem): CallRepresentation[] | Problem {
  if (answer instanceof Problem) return answer;
  return answer.filter(({ type }) => itemKind(type)?.prints === true);
}

/** The problem of a response that has not ended. */
export function notFinished({
  record: { id },
  retryAfterSeconds,
}: Pick<OutputsSubject, "record" | "retryAfterSeconds">): Problem {
  const message = `The response has not ended. Ask again later, or wait for its end: /results/${id}?wait=60`;
  return toProblem("not_finished", message, id, retryAfterSeconds);
}

function judge(
  run: OutputsSubject,
  calls: CallRepresentation[],
  verdict: RunVerdict,
  strict: "true" | "false",
): CallRepresentation[] | Problem {
  if (strict === "false") return calls;
  const rule = RULES[verdict];
  if (rule === "outputs_missing") return outputsMissing(run, describeMissing(run.calls, calls));
  if (rule === "text_if_any" && calls.every(({ source }) => source === null)) {
    return outputsMissing(run, "The run's end was not seen, and no call had outputs by then.");
  }
  return calls.some(isNotStored) ? notStored(run) : calls;
}

function outputsMissing(run: OutputsSubject, what: string): Problem {
  const { record, retryAfterSeconds } = run;
  const { id } = record;
  const path = controlOutputsPath(record);
  const sentences = [
    what,
    ...(retryAfterSeconds === null
      ? []
      : [`They are still looked for; to wait: /results/${id}/outputs?wait=60&until=settled`]),
    ...(path === null ? [] : [`What the control printed: ${path}`]),
    cureOf(record),
    "With strict=false the answer is the text that is there.",
  ];
  return toProblem("outputs_missing", sentences.join(" "), id, retryAfterSeconds);
}

// Numbers count from 1, as in `call` and on the page.
function describeMissing(all: CallRepresentation[], chosen: CallRepresentation[]): string {
  const missing = chosen.filter(
    ({ verdict }) => verdict !== null && RULES[verdict] === "outputs_missing",
  );
  const listed = missing
    .slice(0, MAX_LISTED_CALLS)
    .map((call) => `call ${all.indexOf(call) + 1} (${call.verdict})`);
  const more = missing.length - listed.length;
  return `OpenAI returned no outputs for ${listed.join(", ")}${more > 0 ? `, and ${more} more` : ""}.`;
}

function answerControl(run: OutputsSubject, call: number | undefined) {
  const { record, controlCalls, retryAfterSeconds } = run;
  const { id, control, control_due } = record;
  if (control_due) {
    const message = `The control has not ended. Ask again later, or wait for it: /results/${id}/outputs?from=control&wait=60&until=settled`;
    return toProblem("not_finished", message, id, retryAfterSeconds);
  }
  if (control === null) {
    const message =
      "This run has no control. Start the request again with control: true, which runs it in the foreground as well.";
    return toProblem("not_stored", message, id);
  }
  if (controlCalls.length === 0 && control.status !== "completed") {
    const message = `The control ran no code: its status is ${control.status ?? "unknown"}. Start the request again with control: true.`;
    return toProblem("not_stored", message, id);
  }
  const calls = call === undefined ? controlCalls : controlCalls.slice(call - 1, call);
  if (call !== undefined && calls.length === 0) return noSuchCall(controlCalls.length);
  return calls.some(isNotStored) ? notStored(run) : onlyPrinting(calls);
}

// A call with a source had outputs when it was observed.
function isNotStored({ source, result }: CallRepresentation): boolean {
  return source !== null && result === null;
}

function notStored({ record: { id } }: OutputsSubject): Problem {
  const message = "Outputs were observed but not stored. The record's `error` says why.";
  return toProblem("not_stored", message, id);
}

function notFound({ record: { id } }: OutputsSubject): Problem {
  const message =
    "OpenAI knows no response with this id. Check the id, and that the recorder's key belongs to the project that started the response.";
  return toProblem("not_found", message, id);
}

function noText({ type }: CallRepresentation): Problem {
  const message = `The result of this call is no text: it is a ${type}. The record has it as \`result\`.`;
  return new Problem("not_found", message);
}

function noSuchCall(calls: number): Problem {
  const message =
    calls === 0
      ? "There are no calls. Leave `call` out."
      : `There is no such call. \`call\` must be from 1 to ${calls}.`;
  return new Problem("not_found", message);
}

function toProblem(
  code: "outputs_missing" | "not_finished" | "not_stored" | "not_found",
  message: string,
  id: string,
  seconds: number | null = null,
): Problem {
  return new Problem(code, message, { id, retryAfterSeconds: seconds ?? undefined });
}
