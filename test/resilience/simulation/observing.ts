// What the Recorder's observations show, and when the object does not survive them.
import type { Effect, ResultEvent } from "../../../src/record/events.ts";
import { toTime } from "./clock.ts";
import { readConnection } from "./connection-reading.ts";
import type { Report } from "./effect-report.ts";
import { hadOutputs } from "./had-outputs.ts";
import {
  createChannelObservation,
  createFailedObservation,
  createRefetch,
  drawFault,
  type Answer,
} from "./openai.ts";
import type { SimulatedConnection } from "./simulated-connection.ts";
import type { SimulationState } from "./simulation-state.ts";
import { isAbsent, isPlainEnd, type Shown } from "./truth.ts";

type Observe = Extract<Effect, { type: "observe" }>;

/** A response is given up after this many deaths in a row. */
const MAX_LARGE_BODIES = 3;

/**
 * Observes a response, by OpenAI's API or by its Connection.
 * @param isAlive Whether the object that asked for it still exists.
 */
export function observe(run: SimulationState, effect: Observe, isAlive: boolean): Report {
  if (effect.connection !== null) {
    run.counts.observations += 1;
    const report = readConnection(run, effect);
    if (isAlive && report.shown?.whole === true) dieSometimes(run, effect, report.reads);
    return report;
  }
  const answer = answerObservation(run, effect);
  const { turn, channel } = effect;
  const { result, body, outputs } = answer;
  result.observation.at = toTime(run.clock.seconds);
  run.log(`observe by ${channel}: ${JSON.stringify(result.observation)}`);
  if (isAlive && body !== null && channel === "refetch") dieSometimes(run, effect);
  const event: ResultEvent = { type: "observed", turn, result, hasOutputs: outputs !== null };
  const payload = outputs === null ? { body } : { body, outputs };
  const shown = toShown(run, answer);
  const isKept = !isStatusCheck(run, effect) || endsOrReturns(run, shown);
  run.counts[isKept ? "observations" : "statusChecks"] += 1;
  return { event, payload, ...(isKept ? { shown } : {}) };
}

/** Whether an effect asks for the status only. */
export function isStatusCheck({ object }: SimulationState, { turn }: Effect): boolean {
  const running = object.state?.running;
  return running?.turn === turn && running.is_status_check;
}

// Whether a status check saw the end, or the response after a 404: then it is an observation.
function endsOrReturns({ truth }: SimulationState, one: Shown): boolean {
  return isPlainEnd(one) || (one.whole && isAbsent(truth?.shown ?? []));
}

// The body is counted before it is parsed, and then the object is gone.
function dieSometimes(
  run: SimulationState,
  { turn, channel }: Observe,
  reads?: SimulatedConnection,
): void {
  if (run.deadlyLeft === 0) return;
  run.deadlyLeft -= 1;
  run.count("died of memory");
  if (run.object.report(run.object.life, { type: "large_body", turn })) run.largeBodies += 1;
  run.evict();
  if (run.largeBodies < MAX_LARGE_BODIES) return;
  run.largeBodies = 0;
  const none = new Set<string>();
  const nothing = { calls: none, running: none, had: none, lacksItems: false, brokeAt: null };
  const plain = { whole: false, fromConnection: reads !== undefined, tooLarge: true };
  run.truth?.shown.push({ at: "", channel, http: 200, status: null, ...plain, ...nothing });
  if (reads !== undefined) reads.truth.isRead = true;
}

function answerObservation(run: SimulationState, { channel, record }: Observe): Answer {
  const { clock, scenario, random, truth } = run;
  const seconds = clock.seconds;
  const wasSeen = truth?.shown.some(isPlainEnd) ?? false;
  const fault = drawFault(scenario, channel, seconds, wasSeen, random);
  if (fault !== null) {
    run.count(fault.kind);
    return createFailedObservation(fault, channel, seconds);
  }
  if (channel !== "refetch") return createChannelObservation(scenario, channel, seconds);
  const turnedBack = random.chance(scenario.rates.turnsBack);
  const hasBody = record.body !== null;
  return createRefetch(scenario, seconds, turnedBack, hasBody);
}

function toShown({ scenario }: SimulationState, { result }: Answer): Shown {
  const { at, channel, http_status: http, status } = result.observation;
  const brokeAt = result.broke_at;
  const seen = result.calls ?? [];
  const calls = new Set(seen.map(({ id }) => id));
  const running = seen.filter((call) => call.status !== "completed").map(({ id }) => id);
  const lacksItems = result.fields?.lacks_items === true;
  const whole = channel === "refetch" && result.fields !== null;
  const plain = { whole, lacksItems, fromConnection: false, tooLarge: false };
  const shown = { at, channel, http, status, calls, running: new Set(running), brokeAt, ...plain };
  return { ...shown, had: hadOutputs(scenario, shown) };
}
