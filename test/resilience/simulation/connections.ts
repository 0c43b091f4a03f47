// The Connections of one response: its own, and its control's. Calls from and to them fail, come twice, and late.
import type { ConnectionParams } from "../../../src/record/connection/state.ts";
import type {
  ConnectionCall,
  ConnectionOutcome,
  ReportOutcome,
} from "../../../src/record/connection/transition.ts";
import { DEFAULT_LIMITS } from "../../../src/record/policy.ts";
import { toTriggerParams } from "./calls.ts";
import { tellRecorder } from "./connection-calls.ts";
import { checkConnection } from "./check-connections.ts";
import { toTime } from "./clock.ts";
import { ConnectionObject, type ConnectionTransition } from "./connection-object.ts";
import { createConnectionTruth, noteWrite } from "./connection-truth.ts";
import { toControlCalls, toRunCalls } from "./openai-streams.ts";
import { ScriptedStream, type StreamedResponse } from "./scripted-stream.ts";
import type { ConnectionSet, Reach, SimulatedConnection } from "./simulated-connection.ts";
import type { SimulationState } from "./simulation-state.ts";
import { attempt } from "./storage-refused.ts";
import type { StreamScript } from "./stream-scripts.ts";

export class Connections implements ConnectionSet {
  readonly own: SimulatedConnection | null;
  readonly control: SimulatedConnection | null;
  readonly #run: SimulationState;
  #isHandedOver = false;

  constructor(run: SimulationState, decide?: ConnectionTransition) {
    this.#run = run;
    const { stream, control, began } = run.scenario;
    const { saidStore: store } = run.scenario;
    const created = { model: "m", store, created_at: toTime(began) };
    this.own =
      stream === null
        ? null
        : this.#create("connection", decide, stream, {
            calls: toRunCalls(run.scenario),
            lasts: null,
            created: {
              id: run.scenario.id,
              created:
                stream.kind === "held"
                  ? { ...created, status: "in_progress", background: false }
                  : { ...created, status: "queued", background: true },
            },
          });
    this.control =
      control === null
        ? null
        : this.#create("control", decide, control, {
            calls: toControlCalls(run.scenario, control.ends),
            lasts: control.ends === "never" ? Infinity : control.after,
            created: {
              id: "resp_control",
              created: { ...created, status: "in_progress", background: false },
            },
          });
  }

  get all(): SimulatedConnection[] {
    return [this.own, this.control].filter((one) => one !== null);
  }

  find(name: string): SimulatedConnection | undefined {
    return this.all.find((one) => one.name === name);
  }

  /** The Worker opens the run's Connection. */
  openRun(): void {
    const { stream } = this.#run.scenario;
    if (this.own === null || stream === null) return;
    const start = toTriggerParams(this.#run, this.control?.name ?? null);
    this.#open(this.own, { kind: stream.kind, start });
  }

  /** The Worker opens the control's Connection after the Recorder was started, or dies before. */
  openControl(): void {
    const { clock, scenario } = this.#run;
    const { control } = this;
    if (control === null || scenario.control === null) return;
    const { openedAfter } = scenario.control;
    if (openedAfter === null) return this.#run.count("Worker died before the control");
    clock.after(openedAfter, () => {
      this.#open(control, { kind: "control", run: scenario.id, limits: DEFAULT_LIMITS });
    });
  }

  /** A cancel closes what is open. Its calls can be lost. */
  close(graceSeconds: number): void {
    for (const { object, script } of this.all) {
      if (this.reach() === "lost") continue;
      const { life } = object;
      const grace = script.cut === null ? graceSeconds : 0;
      this.#run.clock.after(grace, () => {
        if (object.life === life) attempt(() => object.call({ type: "close" }));
      });
    }
  }

  /** The Recorder has committed what a Connection brought. */
  release(name: string): void {
    const { clock, random } = this.#run;
    const connection = this.find(name);
    if (connection === undefined) return;
    if (this.reach() === "lost") return;
    const isLate = this.#run.happens(this.#run.scenario.rates.calls, "release late");
    const seconds = isLate ? random.between(0, 600) : random.between(0.01, 0.3);
    clock.after(seconds, () => attempt(() => connection.object.call({ type: "release" })));
  }

  /** Draws how a call to a Connection fares. */
  reach(): Reach {
    const { random, scenario } = this.#run;
    if (!this.#run.happens(scenario.rates.calls, "call to a Connection lost")) return "well";
    return random.pick<Reach>(["lost", "answer lost"]);
  }

  #create(
    name: string,
    decide: ConnectionTransition | undefined,
    script: StreamScript,
    response: StreamedResponse,
  ): SimulatedConnection {
    const run = this.#run;
    const stream = new ScriptedStream(run, script, response);
    const truth = createConnectionTruth(name);
    const object: ConnectionObject = new ConnectionObject(
      {
        clock: run.clock,
        canWrite: () => !run.isOut(run.scenario.outages.connection, "Connection's storage refused"),
        alarmDelays: (seconds, outcome) => this.#alarmDelays(name, seconds, outcome),
        post: () => stream.post(object),
        resume: (_, last) => stream.resume(object, last),
        disconnect: () => stream.stop(),
        tell: (_, call) => {
          tellRecorder(run, object, call, (outcome) => this.#noteHandOver(call, outcome));
        },
        onWrite: (event, stored, outcome) => {
          const before = truth.phase;
          noteWrite(truth, run, event, stored, outcome);
          checkConnection(run, { name, script, stream, object, truth }, before, outcome);
          if (run.keepsLog) run.log(`${name}: ${event?.type ?? "packed"}: ${describe(outcome)}`);
          if (event?.type === "opened" && script.diesAtFirst) this.#dieAtFirst(object);
          this.#evictSometimes(object);
        },
      },
      decide,
    );
    return { name, script, stream, object, truth };
  }

  #open({ object, script, name }: SimulatedConnection, params: ConnectionParams): void {
    attempt(() => object.call({ type: "open", connection: name, params }));
    if (script.evicted === null) return;
    this.#run.clock.after(script.evicted, () => this.#evict(object));
  }

  #dieAtFirst(object: ConnectionObject): void {
    this.#run.count("Connection died at the first event");
    this.#run.clock.after(0, () => this.#evict(object));
  }

  #evictSometimes(object: ConnectionObject): void {
    const { random, clock, scenario } = this.#run;
    if (!this.#run.happens(scenario.rates.connectionEviction, "Connection evicted")) return;
    const { life } = object;
    clock.after(random.pick([0, 0.01, 0.3, 20]) * random.next(), () => {
      if (object.life === life) this.#evict(object);
    });
  }

  #evict(object: ConnectionObject): void {
    this.#run.log("a Connection is evicted");
    this.#run.counts.connectionEvictions += 1;
    object.evict();
  }

  #alarmDelays(name: string, seconds: number, outcome: ConnectionOutcome): number[] {
    const { random, scenario } = this.#run;
    if (!random.chance(scenario.rates.connectionAlarm)) return [seconds];
    const fault = random.pick(["late", "early", "twice", "lost"]);
    if (fault === "lost" && !this.#isWatched(name, outcome)) return [seconds];
    this.#run.count(`Connection's alarm ${fault}`);
    if (fault === "late") return [seconds + random.between(0, 120)];
    if (fault === "early") return [seconds * random.next()];
    if (fault === "twice") return [seconds, seconds + random.between(0, 10)];
    return [];
  }

  // An alarm is lost only while the Recorder knows of the Connection: nothing could notice it otherwise.
  #isWatched(name: string, { state }: ConnectionOutcome): boolean {
    const recorder = this.#run.object.state;
    if (state === null || recorder?.kind !== "run") return false;
    const { connection, control_connection, control_due } = recorder.record;
    // A control that was opened after it counted as not run has to say so itself.
    const isExpected = control_due || state.handed_over;
    return connection?.id === name || (control_connection === name && isExpected);
  }

  // The Worker waits for the first hand-over; when that fails its caller is told to come back, and no control is opened.
  #noteHandOver({ type }: ConnectionCall, outcome: ReportOutcome | null): void {
    if (type !== "hand_over" || this.#isHandedOver) return;
    this.#isHandedOver = true;
    if (outcome === "accepted") this.openControl();
  }
}

function describe({ state, alarm, disconnect }: ConnectionOutcome): string {
  if (state === null) return "removed";
  const end = state.end === null ? "" : ` (${state.end.reason} at ${state.end.last_event})`;
  const wake = alarm === null ? "" : `, alarm ${new Date(alarm).toISOString()}`;
  return `${state.phase}${end}${wake}${disconnect ? ", disconnects" : ""}`;
}
