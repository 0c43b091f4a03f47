// The script of one response: what OpenAI does, what is sent to the Worker, and which faults the platform has.
import { drawArrivals, type Arrival } from "./arrivals.ts";
import type { Random } from "./random.ts";
import {
  drawControl,
  drawRunStream,
  type ControlScript,
  type RunStreamScript,
} from "./stream-scripts.ts";

/** Code, whether it should show something, and whether it can have printed. */
type Code = { code: string | null; shows: boolean };
const CODES: readonly [Code, ...Code[]] = [
  { code: "print(1)", shows: true },
  { code: "import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.describe()", shows: true },
  { code: "print('a')\nraise ValueError('b')", shows: true },
  { code: "x = 1", shows: false },
  { code: "import matplotlib\nvalues = [1]\nvalues.append(2)", shows: false },
  { code: null, shows: true },
];

export type Call = {
  id: string;
  code: string | null;
  /** Whether code like this shows something. Code that is not known can. */
  shows: boolean;
  /** Whether it did, where it ran to its end: code that raises at once does not. */
  printed: boolean;
  /** Whether OpenAI finished it in the run. The control's always are. */
  finishes: boolean;
};

/** What an early answer after the end lacks: all items, the last call, or what the calls came to. */
export type Lacking = "items" | "a call" | "ends of calls";

/** A time in which something does not work. */
export type Outage = { from: number; to: number };

export type Scenario = {
  id: string;
  /** Whether our trigger started it, so that its metadata has the options. */
  ours: boolean;
  /** Its metadata has no room for the options, as below /v1 with 16 pairs of the caller's. */
  hidesOptions: boolean;
  recordsExternal: boolean;
  /** Whether OpenAI never knew it. */
  unknown: boolean;
  /** What the create's answer said of `store`, and what holds. */
  saidStore: boolean | null;
  store: boolean;
  began: number;
  /** When it ended; null when it never does. */
  end: number | null;
  status: "completed" | "failed" | "cancelled" | "incomplete";
  /** OpenAI shows none of its calls: it was cancelled with its connection. */
  emptied: boolean;
  calls: Call[];
  /** Seconds after the end from which a fetch has the outputs; null: never. */
  outputsAfter: number | null;
  emptyAs: "empty" | "null";
  /** Seconds after the end until which a fetch of a completed response lacks something. */
  itemsAfter: number;
  lacking: Lacking;
  /** Whether a fetch before the end shows the calls, as running. */
  showsRunning: boolean;
  conversation: boolean;
  streamHas: boolean;
  conversationHas: boolean;
  control: ControlScript | null;
  /** OpenAI answers 404 before this moment, as its storage may lag behind. */
  knownFrom: number;
  /** OpenAI has it no more from this moment on; null: it stays. */
  vanishes: number | null;
  /** OpenAI deletes the response after the first GET that the Recorder took. */
  goneAfterSeen: boolean;
  /** How often the object dies of memory while it parses the response. */
  deadly: number;
  /** The retention that the trigger's options and the settings ask for. */
  retentionDays: number | null;
  retentionSeconds: number;
  /** The stream of a run in the foreground, or that of a followed one; null when no Connection reads it. */
  stream: RunStreamScript | null;
  containers: number;
  files: number;
  containersGone: boolean;
  revoked: Outage | null;
  arrivals: Arrival[];
  rates: Rates;
  /** KV, the object's storage and the Catalog refuse everything. */
  outages: Record<"kv" | "storage" | "catalog" | "connection", Outage | null>;
};

/** Probabilities, of each attempt. */
export type Rates = {
  observation: number;
  turnsBack: number;
  /** A write to KV, or an answer of the Catalog's, fails. */
  kv: number;
  catalog: number;
  /** The object is evicted during an effect, or between two. */
  eviction: number;
  /** An effect's result is lost, or late. */
  result: number;
  /** An alarm is late, early, twice, or lost. */
  alarm: number;
  /** A call between the Recorder and a Connection is lost, doubled or late. */
  calls: number;
  /** A Connection is evicted after a write. */
  connectionEviction: number;
  connectionAlarm: number;
  file: number;
};

const NO_FAULTS: Rates = {
  observation: 0,
  turnsBack: 0,
  kv: 0,
  catalog: 0,
  eviction: 0,
  result: 0,
  alarm: 0,
  calls: 0,
  connectionEviction: 0,
  connectionAlarm: 0,
  file: 0,
};

const NO_OUTAGES: Scenario["outages"] = {
  kv: null,
  storage: null,
  catalog: null,
  connection: null,
};

const DAY_SECONDS = 24 * 60 * 60;

/** Draws the script of a response. */
export function drawScenario(random: Random, number: number): Scenario {
  const calm = random.chance(0.25);
  const ours = random.chance(0.8);
  const end = random.chance(0.999)
    ? Math.round(random.pick([3, 20, 60, 200, 900]) * random.between(500, 1500)) / 1000
    : null;
  const store = random.chance(0.85);
  const stream = ours && random.chance(0.4) ? drawRunStream(random, calm) : null;
  const isHeld = stream?.kind === "held";
  const base: Omit<Scenario, "rates" | "outages" | "revoked" | "arrivals"> = {
    id: `resp_${number}`,
    ours,
    hidesOptions: stream?.by === "v1" || random.chance(0.1),
    recordsExternal: random.chance(0.8),
    unknown: !ours && random.chance(0.1),
    saidStore: random.chance(0.8) ? store : null,
    store,
    began: random.between(0, 2),
    end,
    status: random.chance(0.85)
      ? "completed"
      : random.pick<Scenario["status"]>(["failed", "cancelled", "incomplete"]),
    emptied: false,
    knownFrom: calm || random.chance(0.9) ? 0 : random.between(0, 90),
    vanishes: random.chance(0.04) ? random.between(0, 1.2 * (end ?? 5_000)) : null,
    goneAfterSeen: !calm && random.chance(0.1),
    deadly: calm || random.chance(0.97) ? 0 : drawDeaths(random),
    ...drawRetention(random),
    calls: drawCalls(random),
    ...drawOutputs(random),
    stream,
    control: ours && !isHeld && random.chance(0.3) ? drawControl(random, calm) : null,
    containers: random.whole(0, 2) * (random.chance(0.3) ? 1 : 0),
    files: random.whole(0, 3),
    containersGone: random.chance(0.1),
  };
  // OpenAI shows by GET no more than its last event did.
  if (isHeld && stream.brings === "with their calls") base.outputsAfter = null;
  if (stream !== null) base.streamHas = stream.brings !== "nowhere";
  return { ...base, ...drawRates(random, calm), arrivals: drawArrivals(random, calm, base) };
}

/** Whether no fault is injected into this response. */
export function isFaultless(scenario: Scenario): boolean {
  const { rates, outages, revoked, knownFrom, deadly, vanishes, itemsAfter } = scenario;
  const none = Object.values(rates).every((rate) => rate === 0);
  const works = Object.values(outages).every((outage) => outage === null);
  const isWhole = vanishes === null && itemsAfter === 0;
  return none && works && isWhole && revoked === null && knownFrom === 0 && deadly === 0;
}

// Few records are kept for less than a day.
function drawRetention(random: Random): Pick<Scenario, "retentionDays" | "retentionSeconds"> {
  const retentionSeconds = random.chance(0.95)
    ? 30 * DAY_SECONDS
    : random.between(600, DAY_SECONDS);
  return { retentionSeconds, retentionDays: random.chance(0.1) ? random.whole(1, 60) : null };
}

// Some bodies kill the object always.
function drawDeaths(random: Random): number {
  return random.chance(0.1) ? Infinity : random.whole(1, 4);
}

function drawCalls(random: Random): Call[] {
  const count = random.pick([0, 1, 1, 1, 2, 3]);
  return Array.from({ length: count }, (_, index) => {
    const { code, shows } = random.pick(CODES);
    const printed = shows && random.chance(0.85);
    return { id: `ci_${index}`, code, shows, printed, finishes: random.chance(0.95) };
  });
}

function drawOutputs(random: Random) {
  return {
    outputsAfter: random.pick([0, 0, null, null, random.between(0, 700)]),
    emptyAs: random.pick<Scenario["emptyAs"]>(["empty", "empty", "null"]),
    itemsAfter: random.chance(0.1) ? random.pick([1, 30, 200, 3_000]) * random.next() : 0,
    lacking: random.pick<Lacking>(["items", "a call", "ends of calls"]),
    showsRunning: random.chance(0.3),
    conversation: random.chance(0.2),
    streamHas: random.chance(0.5),
    conversationHas: random.chance(0.5),
  };
}

function drawRates(random: Random, calm: boolean): Pick<Scenario, "rates" | "outages" | "revoked"> {
  if (calm) {
    return { rates: NO_FAULTS, outages: NO_OUTAGES, revoked: null };
  }
  const rates = {
    observation: random.chance(0.02) ? 0.7 : random.pick([0, 0.05, 0.3]),
    turnsBack: random.pick([0, 0, 0.1, 0.3]),
    kv: random.pick([0, 0, 0.05, 0.4]),
    catalog: random.pick([0, 0, 0.05, 0.4]),
    eviction: random.pick([0, 0.01, 0.05, 0.15]),
    result: random.pick([0, 0, 0.02, 0.1]),
    alarm: random.pick([0, 0, 0.05, 0.3]),
    calls: random.pick([0, 0, 0.05, 0.3]),
    connectionEviction: random.pick([0, 0, 0.01, 0.05]),
    connectionAlarm: random.pick([0, 0, 0.05, 0.3]),
    file: random.pick([0, 0.1, 0.5]),
  };
  const outages = {
    kv: random.chance(0.1) ? drawOutage(random, 600, random.pick([3600, DAY_SECONDS])) : null,
    storage: random.chance(0.05) ? drawOutage(random, 600, 3600) : null,
    catalog: random.chance(0.1) ? drawOutage(random, 600, random.pick([3600, DAY_SECONDS])) : null,
    connection: random.chance(0.05) ? drawOutage(random, 600, 3600) : null,
  };
  return { rates, outages, revoked: random.chance(0.03) ? drawOutage(random, 400, 4000) : null };
}

function drawOutage(random: Random, latest: number, longest: number): Outage {
  const from = random.between(0, latest);
  return { from, to: from + random.between(0, longest) };
}
