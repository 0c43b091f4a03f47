// What a record must say of its control, worked out from what the emulator did.
import type { ActualRun, LoggedRequest } from "../../support/emulator-client.ts";
import type { ResponseEntry } from "./acknowledgements.ts";
import { listConnections, type Evidence, type StoredResponse } from "./evidence.ts";
import { hasFault, isTerminal, listExecutedCalls } from "./facts.ts";

/** The Recorders of the soak give up a control this long after its run began. */
const CONTROL_TIMEOUT_SECONDS = 60;

/** A Connection gives up a create that OpenAI does not answer in 20 s. On a slow machine the request itself can take as long. */
const SLOW_CREATE_MS = 15_000;

type Control = NonNullable<StoredResponse["record"]["control"]>;

/** The control of a run, as OpenAI has it; null when it never reached OpenAI. */
export function findControlRun({ emulator, acknowledgements }: Evidence, run: ActualRun) {
  const number = run.metadata["soak"];
  const found = emulator.runs.find(
    (one) =>
      one.id !== run.id &&
      one.metadata["soak"] === number &&
      acknowledgements.findEntry(one) === null,
  );
  return found ?? null;
}

/** Returns what is wrong with the control of a record. */
export function findWrongControl(
  evidence: Evidence,
  run: ActualRun,
  entry: ResponseEntry,
  { record }: StoredResponse,
): string[] {
  const { control } = record;
  if (!entry.plan.control || !evidence.acknowledgements.triggered.has(run.id)) return [];
  if (control === null) return ["it has no control"];
  const actual = findControlRun(evidence, run);
  if (isTerminal(control.status)) return findWrongEnd(control, actual);
  if (control.status === "not_run" && actual !== null) return ["its control has run"];
  return [
    ...(isReasoned(evidence, run, entry, control)
      ? []
      : [`its control is ${String(control.status)} without a reason`]),
    ...(actual === null ? [] : findWrongCalls(control, listExecutedCalls(actual))),
  ];
}

// What an interrupted control brought is the beginning of what it did.
function findWrongCalls(control: Control, executed: ActualRun["calls"]): string[] {
  return control.calls.flatMap(({ id, outputs }, index) => {
    const actual = executed[index];
    const isSame = JSON.stringify(outputs ?? []) === JSON.stringify(actual?.outputs ?? []);
    return actual?.id === id && isSame ? [] : [`its control's call ${index + 1} is another one`];
  });
}

function findWrongEnd(control: Control, actual: ActualRun | null): string[] {
  if (actual === null || control.id !== actual.id) return ["its control is another run"];
  if (control.status !== actual.status) {
    return [`its control is ${actual.status}, not ${String(control.status)}`];
  }
  const isWhole = control.calls.length === actual.calls.length;
  return isWhole ? findWrongCalls(control, actual.calls) : ["its control's calls are not whole"];
}

// A kill or a fault before it was opened, or while it was read; OpenAI's refusal; a create that was slow; a cancel, which ends the control too.
function isReasoned(
  evidence: Evidence,
  run: ActualRun,
  { plan }: ResponseEntry,
  { status }: Control,
): boolean {
  const { kills, log, connections, emulator } = evidence;
  const isRefused = emulator.requests.some(
    (request) => request.fault !== null && isControlOf(request, plan.number),
  );
  if (status === "refused") return isRefused;
  const begin = run.created_at * 1000;
  const isSlow = emulator.requests.some(
    (request) =>
      isControlOf(request, plan.number) && Date.parse(request.at) >= begin + SLOW_CREATE_MS,
  );
  if (status === "unreachable") return isRefused || isSlow;
  // `settled_at` is the last observation's time, and a control can be stopped after it, so the control's time limit counts.
  const wasKilled = kills.some((at) => at >= begin && at <= begin + CONTROL_TIMEOUT_SECONDS * 1000);
  if (wasKilled) return true;
  const [opened] = listConnections(connections, run.id, plan.number).filter(
    ({ kind }) => kind === "control",
  );
  // A call that failed before it took effect opened nothing.
  if (status === "not_run") return opened === undefined;
  if (opened === undefined) return false;
  return (
    isRefused ||
    isSlow ||
    plan.ending === "cancelled" ||
    hasFault(log, "connection_death", opened.connection)
  );
}

function isControlOf({ method, body }: LoggedRequest, number: number): boolean {
  const text = JSON.stringify(body ?? "");
  return (
    method === "POST" && text.includes(`"soak":"${number}"`) && text.includes('"background":false')
  );
}
