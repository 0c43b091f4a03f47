// What the story does to the world, done to a scripted OpenAI and a stand-in for KV. Each call is slow, and may be cut off or fail.
import type { FileEntry, StoredRecord } from "../../../src/record/schema.ts";
import type { Observed } from "../../../src/openai/observed.ts";
import type { Hands } from "../../../src/workflows/hands.ts";
import { toTime } from "./clock.ts";
import type { Life } from "./engine.ts";
import type { Weather } from "./kv.ts";
import { compared, elsewhere, faultOf, fetched, ofHolder, unseen } from "./openai.ts";
import type { World } from "./world.ts";

/** Seconds after which a control's connection is closed. */
const LONGEST_CONTROL = 24 * 60 * 60;

/**
 * The hands of one run.
 * @param world Where it runs.
 * @param life Ends with the next crash.
 */
export function handsOf(world: World, life: Life): Hands {
  const { kv, random, scenario } = world;
  const weather = weatherOf(world, life);
  const sleep: Sleep = (seconds) => weather.sleep(seconds);
  const put = (key: string, value: string) => kv.put(key, value, weather);
  return {
    async look(record, channel) {
      if (channel === "held") return lookAtHolder(world, sleep);
      return seenAt(await look(world, sleep, record, channel), world.clock.now);
    },
    async control() {
      world.controls += 1;
      const after = scenario.control?.after ?? 1;
      await sleep(Math.min(after, LONGEST_CONTROL));
      world.controlled = after <= LONGEST_CONTROL;
      const ends = world.controlled ? scenario.control?.ends : "unreachable";
      return compared(scenario, ends, world.clock.now);
    },
    keep: (_owner, channel, outputs) => put(`outputs:${channel}`, JSON.stringify(outputs)),
    async store(record, chunks) {
      const body = chunks === null ? storedBody(world, record) : textOf(chunks);
      world.log(`store ${record.verdict}, settled ${record.settled_at ?? "not yet"}`);
      await kv.putRecord(record, body, weather);
    },
    list: (record) =>
      put("index", JSON.stringify({ status: record.status, verdict: record.verdict })),
    async recall() {
      await sleep(weather.latency());
      return kv.record()?.known ?? null;
    },
    async forget() {
      await sleep(weather.latency());
      kv.clear();
    },
    async wake(_id, kind) {
      await sleep(weather.latency());
      world.instance?.send({ kind, at: toTime(world.clock.now) });
    },
    findFiles: (record) => findFiles(world, sleep, record),
    isToCopy: (file) => file.reason === null,
    async saveFile(_owner, file) {
      const slow = random.chance(scenario.rates.file / 10);
      await sleep(slow ? 400 : random.between(0.1, 5));
      mayFail(world, "file");
      await put(`file:${file.id}`, file.id);
      return { ...file, bytes: 1, url: `/${file.id}` };
    },
  };
}

type Sleep = (seconds: number) => Promise<void>;

// As in src/openai/observe.ts: an observation has the time of its end.
function seenAt(seen: Observed, seconds: number): Observed {
  const observation = { ...seen.result.observation, at: toTime(seconds) };
  return { ...seen, result: { ...seen.result, observation } };
}

async function look(
  world: World,
  sleep: Sleep,
  record: StoredRecord,
  channel: StoredRecord["observations"][number]["channel"],
): Promise<Observed> {
  const { clock, random, scenario } = world;
  const began = clock.now;
  const fault = faultOf(scenario, began, random);
  const turnedBack = random.chance(scenario.rates.turnsBack);
  world.looks.push({ at: began, channel });
  await sleep(fault?.seconds ?? random.between(0.05, 1));
  if (fault !== null) {
    world.count(fault.kind);
    world.log(`look by ${channel}: ${fault.kind}`);
    return unseen(fault, channel, began);
  }
  if (turnedBack && scenario.end !== null && clock.now >= scenario.end)
    world.count("status that turns back");
  const known = record.calls.some((call) => call.state === "populated");
  const seen =
    channel === "refetch"
      ? fetched(scenario, clock.now, turnedBack, known)
      : elsewhere(scenario, channel, clock.now);
  world.log(`look by ${channel}: ${JSON.stringify(seen.result.observation)}`);
  return seen;
}

// As `askHolder` does: one that still holds is made to let go.
async function lookAtHolder(world: World, sleep: Sleep): Promise<Observed> {
  const { clock, scenario } = world;
  world.looks.push({ at: clock.now, channel: "held" });
  await sleep(0.1);
  for (const last of [false, true]) {
    if (world.leftBy() !== null || world.holder === null) break;
    await sleep(10);
    if (!last) world.stop();
  }
  const seen = ofHolder(scenario, world.leftBy(), clock.now);
  world.log(`look by held: ${JSON.stringify(seen.result.observation)}`);
  return seen;
}

async function findFiles(world: World, sleep: Sleep, record: StoredRecord): Promise<FileEntry[]> {
  const { random, scenario } = world;
  await sleep(random.between(0.1, 1));
  mayFail(world, "file");
  if (scenario.containersGone) world.count("container gone");
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

function mayFail({ random, scenario, count }: World, what: "file"): void {
  if (!random.chance(scenario.rates[what])) return;
  count("file request failed");
  throw new Error("503");
}

function weatherOf(world: World, life: Life): Weather {
  const { clock, random, scenario } = world;
  return {
    now: () => clock.now,
    latency: () => random.between(0.01, 0.2),
    fails() {
      const { outage, rates } = scenario;
      const out = outage !== null && clock.now >= outage.from && clock.now < outage.to;
      if (!out && !random.chance(rates.write)) return null;
      world.count("KV write failed");
      return !out && random.chance(0.2) ? "after" : "before";
    },
    sleep: (seconds) =>
      new Promise((resolve) => {
        clock.after(seconds, () => {
          if (life.hands) resolve();
        });
      }),
  };
}

function storedBody({ kv }: World, record: StoredRecord): string {
  if (record.body === null) return "";
  const stored = kv.record();
  if (stored === null) throw new Error("the stored body is not readable yet");
  return stored.body;
}

function textOf(chunks: Uint8Array[]): string {
  return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
}
