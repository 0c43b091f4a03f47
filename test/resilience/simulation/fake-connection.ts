// A scripted held connection, and the activities of its Holder.
import type { Begun, HolderHands, Line } from "../../../src/workflows/holder.ts";
import { BREAK_UNKNOWN } from "../../../src/record/schema.ts";
import { tell } from "../../../src/workflows/telling.ts";
import { toTime } from "./clock.ts";
import type { Execution } from "./engine.ts";
import type { HeldScript, Scenario } from "./scenario.ts";
import type { ConnectionResult, SimulationState } from "./simulation-state.ts";

/** The Holder closes a connection after this time. */
const MAX_CONNECTION_SECONDS = 23.5 * 60 * 60;

/**
 * Returns the activities of a Holder.
 * @param held The script of its connection.
 * @param execution Ends with the next crash.
 */
export function createHolderActivities(
  state: SimulationState,
  held: HeldScript,
  execution: Execution,
): HolderHands {
  const { clock, random, scenario } = state;
  const sleep = (seconds: number) =>
    new Promise<void>((resolve) => {
      clock.after(seconds, () => {
        if (execution.hands) resolve();
      });
    });
  return {
    async begin() {
      state.posts += 1;
      await sleep(random.between(0.1, 1));
      if (held.refused) return { begun: REFUSED, line: null };
      return { begun: toBegun(scenario), line: openConnection(state, held, execution) };
    },
    async handOver(start) {
      await sleep(random.between(0.01, 0.2));
      mayFail(state);
      state.handOver(start);
    },
    lost: () => leaveResult(state, { at: clock.now, broke_at: BREAK_UNKNOWN, calls: [] }),
    async tell(start) {
      await sleep(random.between(0.01, 0.2));
      state.connectionEndedAt ??= clock.now;
      if (clock.now < state.connectionEndedAt + held.late)
        throw new Error("the engine does not answer");
      mayFail(state);
      const at = toTime(clock.now);
      await tell(start, at, state.recorder(sleep));
      if (held.twice) await tell(start, at, state.recorder(sleep));
    },
  };
}

/** Does what OpenAI does when a connection ends before its run. */
export function breakConnection({ scenario, clock, count }: SimulationState): void {
  const { held, end } = scenario;
  if (held === null || (end !== null && clock.now >= end)) return;
  count("held connection broken");
  if (held.cut === "finishes") return;
  scenario.end = clock.now + 0.5;
  scenario.status = "cancelled";
  scenario.emptied = true;
}

function openConnection(state: SimulationState, held: HeldScript, execution: Execution): Line {
  const { clock, scenario } = state;
  const began = clock.now;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  state.isConnected = true;
  return {
    close,
    async read() {
      const until = Math.min(
        scenario.end ?? MAX_CONNECTION_SECONDS,
        held.breaks ?? MAX_CONNECTION_SECONDS,
        began + MAX_CONNECTION_SECONDS,
      );
      const over = new Promise<void>((resolve) => {
        clock.after(until - clock.now, resolve);
      });
      await Promise.race([over, closed]);
      if (!execution.hands) return new Promise(() => undefined);
      return leaveResult(state, toConnectionResult(scenario, clock.now));
    },
  };
}

function toConnectionResult(scenario: Scenario, seconds: number): ConnectionResult {
  const { end, calls } = scenario;
  if (end !== null && seconds >= end) return { at: seconds, broke_at: null, calls };
  const share = seconds / (end ?? MAX_CONNECTION_SECONDS);
  const done = calls.filter((_, index) => (index + 1) / (calls.length + 1) <= share);
  return { at: seconds, broke_at: `${done.length} response.output_item.done`, calls: done };
}

// The stream is the step's result; its content is looked up by it.
function leaveResult(state: SimulationState, left: ConnectionResult): ReadableStream<Uint8Array> {
  if (left.broke_at !== BREAK_UNKNOWN) state.closeConnection(left.broke_at !== null);
  const stream = new ReadableStream<Uint8Array>();
  state.connectionResults.set(stream, left);
  return stream;
}

function toBegun({ id, saidStore, began }: Scenario): Begun {
  const created_at = toTime(began);
  return {
    kind: "held",
    id,
    created: { status: "in_progress", model: "m", background: false, store: saidStore, created_at },
    response: new Uint8Array(),
  };
}

const REFUSED: Begun = { kind: "refused", status: 400, request_id: null, retry_after: null };

function mayFail({ random, scenario, count }: SimulationState): void {
  if (!random.chance(scenario.rates.write)) return;
  count("engine refused a call");
  throw new Error("the engine does not answer");
}
