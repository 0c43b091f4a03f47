// The activities of a Recorder, against a scripted OpenAI and a stand-in for KV. Each is slow, and can be interrupted or fail.
import type { FileEntry, StoredRecord } from "../../../src/record/schema.ts";
import type { Observed } from "../../../src/openai/observed.ts";
import type { Hands } from "../../../src/workflows/hands.ts";
import { toTime } from "./clock.ts";
import type { Execution } from "./engine.ts";
import type { KvFaults } from "./kv.ts";
import {
  createControlResult,
  createChannelObservation,
  drawFault,
  createRefetch,
  createHeldObservation,
  createFailedObservation,
} from "./openai.ts";
import type { SimulationState } from "./simulation-state.ts";

/** The connection of a control is closed after a day. */
const MAX_CONTROL_SECONDS = 24 * 60 * 60;

/**
 * Returns the activities of a Recorder.
 * @param execution Ends with the next crash.
 */
export function createActivities(state: SimulationState, execution: Execution): Hands {
  const { kv, random, scenario } = state;
  const faults = createKvFaults(state, execution);
  const sleep: Sleep = (seconds) => faults.sleep(seconds);
  const put = (key: string, value: string) => kv.put(key, value, faults);
  return {
    async look(record, channel) {
      if (channel === "held") return observeHolder(state, sleep);
      return withTime(await observe(state, sleep, record, channel), state.clock.now);
    },
    async control() {
      state.controls += 1;
      const after = scenario.control?.after ?? 1;
      await sleep(Math.min(after, MAX_CONTROL_SECONDS));
      state.controlled = after <= MAX_CONTROL_SECONDS;
      const ends = state.controlled ? scenario.control?.ends : "unreachable";
      return createControlResult(scenario, ends, state.clock.now);
    },
    keep: (_owner, channel, outputs) => put(`outputs:${channel}`, JSON.stringify(outputs)),
    async store(record, chunks) {
      const body = chunks === null ? readStoredBody(state, record) : decodeChunks(chunks);
      state.log(`store ${record.verdict}, settled ${record.settled_at ?? "not yet"}`);
      await kv.putRecord(record, body, faults);
    },
    list: (record) =>
      put("index", JSON.stringify({ status: record.status, verdict: record.verdict })),
    async recall() {
      await sleep(faults.latency());
      return kv.record()?.known ?? null;
    },
    async forget() {
      await sleep(faults.latency());
      kv.clear();
    },
    async wake(_id, kind) {
      await sleep(faults.latency());
      state.instance?.send({ kind, at: toTime(state.clock.now) });
    },
    findFiles: (record) => findFiles(state, sleep, record),
    isToCopy: (file) => file.reason === null,
    async saveFile(_owner, file) {
      const slow = random.chance(scenario.rates.file / 10);
      await sleep(slow ? 400 : random.between(0.1, 5));
      mayFail(state, "file");
      await put(`file:${file.id}`, file.id);
      return { ...file, bytes: 1, url: `/${file.id}` };
    },
  };
}

type Sleep = (seconds: number) => Promise<void>;

// As in src/openai/observe.ts: an observation has the time of its end.
function withTime(seen: Observed, seconds: number): Observed {
  const observation = { ...seen.result.observation, at: toTime(seconds) };
  return { ...seen, result: { ...seen.result, observation } };
}

async function observe(
  state: SimulationState,
  sleep: Sleep,
  record: StoredRecord,
  channel: StoredRecord["observations"][number]["channel"],
): Promise<Observed> {
  const { clock, random, scenario } = state;
  const began = clock.now;
  const fault = drawFault(scenario, began, random);
  const turnedBack = random.chance(scenario.rates.turnsBack);
  state.observations.push({ at: began, channel });
  await sleep(fault?.seconds ?? random.between(0.05, 1));
  if (fault !== null) {
    state.count(fault.kind);
    state.log(`observe by ${channel}: ${fault.kind}`);
    return createFailedObservation(fault, channel, began);
  }
  if (turnedBack && scenario.end !== null && clock.now >= scenario.end)
    state.count("status that turns back");
  const known = record.calls.some((call) => call.state === "populated");
  const seen =
    channel === "refetch"
      ? createRefetch(scenario, clock.now, turnedBack, known)
      : createChannelObservation(scenario, channel, clock.now);
  state.log(`observe by ${channel}: ${JSON.stringify(seen.result.observation)}`);
  return seen;
}

// Like `askHolder`: a Holder that still has a connection must close it.
async function observeHolder(state: SimulationState, sleep: Sleep): Promise<Observed> {
  const { clock, scenario } = state;
  state.observations.push({ at: clock.now, channel: "held" });
  await sleep(0.1);
  for (const last of [false, true]) {
    if (state.getConnectionResult() !== null || state.holder === null) break;
    await sleep(10);
    if (!last) state.stop();
  }
  const seen = createHeldObservation(scenario, state.getConnectionResult(), clock.now);
  state.log(`observe by held: ${JSON.stringify(seen.result.observation)}`);
  return seen;
}

async function findFiles(
  state: SimulationState,
  sleep: Sleep,
  record: StoredRecord,
): Promise<FileEntry[]> {
  const { random, scenario } = state;
  await sleep(random.between(0.1, 1));
  mayFail(state, "file");
  if (scenario.containersGone) state.count("container gone");
  const reason = scenario.containersGone ? "It was gone already" : null;
  return record.containers.flatMap((container) =>
    Array.from({ length: scenario.files }, (_, index) => ({
      id: `${container}_file_${index}`,
      container_id: container,
      filename: "a.csv",
      bytes: null,
      url: null,
      reason,
    })),
  );
}

function mayFail({ random, scenario, count }: SimulationState, what: "file"): void {
  if (!random.chance(scenario.rates[what])) return;
  count("file request failed");
  throw new Error("503");
}

function createKvFaults(state: SimulationState, execution: Execution): KvFaults {
  const { clock, random, scenario } = state;
  return {
    now: () => clock.now,
    latency: () => random.between(0.01, 0.2),
    fails() {
      const { outage, rates } = scenario;
      const out = outage !== null && clock.now >= outage.from && clock.now < outage.to;
      if (!out && !random.chance(rates.write)) return null;
      state.count("KV write failed");
      return !out && random.chance(0.2) ? "after" : "before";
    },
    sleep: (seconds) =>
      new Promise((resolve) => {
        clock.after(seconds, () => {
          if (execution.hands) resolve();
        });
      }),
  };
}

function readStoredBody({ kv }: SimulationState, record: StoredRecord): string {
  if (record.body === null) return "";
  const stored = kv.record();
  if (stored === null) throw new Error("the stored body is not readable yet");
  return stored.body;
}

function decodeChunks(chunks: Uint8Array[]): string {
  return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
}
