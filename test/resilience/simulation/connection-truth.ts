// What happened to one Connection, and what the Recorder must read of it. Nothing here asks the program.
import type {
  ConnectionEvent,
  ConnectionOutcome,
} from "../../../src/record/connection/transition.ts";
import type { Call } from "./scenario.ts";
import type { ConnectionTruth } from "./simulated-connection.ts";
import type { SimulationState } from "./simulation-state.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { ControlTruth, Shown } from "./truth.ts";

export function createConnectionTruth(name: string): ConnectionTruth {
  return {
    name,
    openedAt: null,
    refusal: null,
    stored: [],
    isRead: false,
    goneAt: null,
    phase: null,
  };
}

/** Notes what a write changed. */
export function noteWrite(
  truth: ConnectionTruth,
  { clock }: SimulationState,
  event: ConnectionEvent | null,
  stored: StreamEvent[],
  { state }: ConnectionOutcome,
): void {
  if (event?.type === "open") truth.openedAt ??= clock.seconds;
  if (event?.type === "not_opened") truth.refusal = event.reason;
  truth.stored.push(...stored);
  truth.phase = state?.phase ?? null;
  if (state === null) truth.goneAt ??= clock.seconds;
}

/** Whether the whole response is stored. */
export function isWhole({ stored }: ConnectionTruth): boolean {
  return stored.some(({ isLast }) => isLast);
}

/** The ids of the calls that a stream showed, of those that it never finished, and of those whose outputs it had. */
export function shownCalls(
  truth: ConnectionTruth,
  { scenario }: SimulationState,
): Pick<Shown, "calls" | "running" | "had"> {
  const finished = new Set(truth.stored.flatMap(({ call }) => (call === null ? [] : [call.id])));
  const all = scenario.calls.map(({ id }) => id);
  const calls = isWhole(truth) ? new Set(all) : finished;
  const brings = scenario.stream?.brings ?? "nowhere";
  const shows = brings === "in the response" ? calls : brings === "nowhere" ? new Set() : finished;
  const seen = scenario.calls.filter(({ id }) => calls.has(id));
  const had = seen.filter(({ id, printed, finishes }) => printed && finishes && shows.has(id));
  return { calls, running: idsOf(seen.filter(({ finishes }) => !finishes)), had: idsOf(had) };
}

function idsOf(calls: Call[]): Set<string> {
  return new Set(calls.map(({ id }) => id));
}

/** The event at which a stream broke; null when its last one is stored. */
export function brokenAt(truth: ConnectionTruth): string | null {
  const { stored } = truth;
  return isWhole(truth) ? null : `${stored.length} ${stored.at(-1)?.type}`;
}

/** What a record must say of the control. */
export function controlTruth({ connections, scenario }: SimulationState): ControlTruth | null {
  const { control } = connections;
  if (control === null) return null;
  const { truth } = control;
  if (truth.openedAt === null) return { status: "not_run", calls: [] };
  if (truth.refusal !== null) return { status: truth.refusal, calls: [] };
  const { ends } = scenario.control ?? {};
  const compared = ends === "fewer calls" ? scenario.calls.slice(0, -1) : scenario.calls;
  const finished = new Set(truth.stored.flatMap(({ call }) => (call === null ? [] : [call.id])));
  const calls = compared
    .map(({ id, code, printed }) => ({
      id: `control_${id}`,
      code: ends === "different code" && code !== null ? `${code} # again` : code,
      had: printed && ends !== "empty",
    }))
    .filter(({ id }) => isWhole(truth) || finished.has(id));
  return { status: isWhole(truth) ? "completed" : "interrupted", calls };
}
