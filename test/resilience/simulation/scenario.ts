// The script of one response: what OpenAI does, what is sent to the Worker, and which faults the platform has.
import { drawArrivals, type Arrival } from "./arrivals.ts";
import type { Random } from "./random.ts";

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
  /** Whether it did: code that raises at once does not. */
  printed: boolean;
};

/** A time in which something does not work. */
export type Outage = { from: number; to: number };

/** A connection that is held, and its Holder. */
export type HeldScript = {
  by: "trigger" | "v1";
  /** Whether OpenAI refuses the request. */
  refused: boolean;
  /** Seconds after which the connection breaks; null: never. */
  breaks: number | null;
  /** What OpenAI does with a run whose connection broke. */
  cut: "finishes" | "cancels";
  /** Where the outputs stand that it brings. */
  brings: "in the response" | "with their calls" | "nowhere";
  /** Whether OpenAI denies by GET that there is such a response. */
  denied: boolean;
  /** Seconds after the connection's end at which the Holder reports it, and whether it reports twice. */
  late: number;
  twice: boolean;
  /** When the Holder is lost for good; null: never. */
  dies: number | null;
};

export type ControlScript = {
  after: number;
  ends:
    | "same code"
    | "different code"
    | "fewer calls"
    | "empty"
    | "refused"
    | "unreachable"
    | "never";
};

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
  replay: boolean;
  conversation: boolean;
  streamHas: boolean;
  conversationHas: boolean;
  control: ControlScript | null;
  /** OpenAI answers 404 before this moment, as its storage may lag behind. */
  knownFrom: number;
  /** OpenAI deletes the response after the first GET that the Recorder took. */
  goneAfterSeen: boolean;
  /** How often the object dies of memory while it parses the response. */
  deadly: number;
  /** The retention that the trigger's options and the settings ask for. */
  retentionDays: number | null;
  retentionSeconds: number;
  /** The run is in the foreground, and its connection held. */
  held: HeldScript | null;
  containers: number;
  files: number;
  containersGone: boolean;
  revoked: Outage | null;
  arrivals: Arrival[];
  rates: Rates;
  /** KV, the object's storage and the Catalog refuse everything. */
  outages: { kv: Outage | null; storage: Outage | null; catalog: Outage | null };
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
  file: 0,
};

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** Draws the script of a response. */
export function drawScenario(random: Random, number: number): Scenario {
  const calm = random.chance(0.25);
  const ours = random.chance(0.8);
  const end = random.chance(0.999)
    ? Math.round(random.pick([3, 20, 60, 200, 900]) * random.between(500, 1500)) / 1000
    : null;
  const store = random.chance(0.85);
  const held = ours && random.chance(0.25) ? drawHeld(random, calm) : null;
  const base: Omit<Scenario, "rates" | "outages" | "revoked" | "arrivals"> = {
    id: `resp_${number}`,
    ours,
    hidesOptions: held?.by === "v1" || random.chance(0.1),
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
    goneAfterSeen: !calm && random.chance(0.1),
    deadly: calm || random.chance(0.97) ? 0 : random.whole(1, 4),
    ...drawRetention(random),
    calls: drawCalls(random),
    ...drawOutputs(random),
    held,
    control: ours && held === null && random.chance(0.15) ? drawControl(random) : null,
    containers: random.whole(0, 2) * (random.chance(0.3) ? 1 : 0),
    files: random.whole(0, 3),
    containersGone: random.chance(0.1),
  };
  // OpenAI shows by GET no more than its last event did.
  if (held?.brings === "with their calls") base.outputsAfter = null;
  return { ...base, ...drawRates(random, calm), arrivals: drawArrivals(random, calm, base) };
}

/** Whether no fault is injected into this response. */
export function isFaultless({ rates, outages, revoked, knownFrom, deadly }: Scenario): boolean {
  const none = Object.values(rates).every((rate) => rate === 0);
  const works = Object.values(outages).every((outage) => outage === null);
  return none && works && revoked === null && knownFrom === 0 && deadly === 0;
}

// Few records are kept for less than a day.
function drawRetention(random: Random): Pick<Scenario, "retentionDays" | "retentionSeconds"> {
  const retentionSeconds = random.chance(0.95)
    ? 30 * DAY_SECONDS
    : random.between(600, DAY_SECONDS);
  return { retentionSeconds, retentionDays: random.chance(0.1) ? random.whole(1, 60) : null };
}

function drawCalls(random: Random): Call[] {
  const count = random.pick([0, 1, 1, 1, 2, 3]);
  return Array.from({ length: count }, (_, index) => {
    const { code, shows } = random.pick(CODES);
    return { id: `ci_${index}`, code, shows, printed: shows && random.chance(0.85) };
  });
}

function drawOutputs(random: Random) {
  return {
    outputsAfter: random.pick([0, 0, null, null, random.between(0, 700)]),
    emptyAs: random.pick<Scenario["emptyAs"]>(["empty", "empty", "null"]),
    replay: random.chance(0.3),
    conversation: random.chance(0.2),
    streamHas: random.chance(0.5),
    conversationHas: random.chance(0.5),
  };
}

function drawControl(random: Random): ControlScript {
  const after = random.pick([5, 30, 300, HOUR_SECONDS]) * random.between(0.5, 1);
  const ends = random.pick<ControlScript["ends"]>([
    "same code",
    "same code",
    "different code",
    "fewer calls",
    "empty",
    "refused",
    "unreachable",
  ]);
  return random.chance(0.01) ? { after: 2 * DAY_SECONDS, ends: "never" } : { after, ends };
}

function drawHeld(random: Random, calm: boolean): HeldScript {
  const by = random.pick<HeldScript["by"]>(["trigger", "v1"]);
  const brings = random.chance(0.9)
    ? "in the response"
    : random.pick<HeldScript["brings"]>(["with their calls", "nowhere"]);
  const well = { by, brings, refused: false, denied: false, twice: false, late: 0 };
  if (calm) return { ...well, breaks: null, cut: "cancels", dies: null };
  return {
    ...well,
    refused: random.chance(0.05),
    denied: random.chance(0.03),
    twice: random.chance(0.2),
    late: random.chance(0.2) ? random.between(0, 500) : 0,
    breaks: random.chance(0.3) ? random.pick([5, 60, 600]) * random.next() : null,
    cut: random.pick<HeldScript["cut"]>(["finishes", "cancels"]),
    dies: random.chance(0.1) ? random.pick([2, 60, 900]) * random.next() : null,
  };
}

function drawRates(random: Random, calm: boolean): Pick<Scenario, "rates" | "outages" | "revoked"> {
  if (calm) {
    return { rates: NO_FAULTS, outages: { kv: null, storage: null, catalog: null }, revoked: null };
  }
  const rates = {
    observation: random.chance(0.02) ? 0.7 : random.pick([0, 0.05, 0.3]),
    turnsBack: random.pick([0, 0, 0.1, 0.3]),
    kv: random.pick([0, 0, 0.05, 0.4]),
    catalog: random.pick([0, 0, 0.05, 0.4]),
    eviction: random.pick([0, 0.01, 0.05, 0.15]),
    result: random.pick([0, 0, 0.02, 0.1]),
    alarm: random.pick([0, 0, 0.05, 0.3]),
    file: random.pick([0, 0.1, 0.5]),
  };
  const outages = {
    kv: random.chance(0.1) ? drawOutage(random, 600, random.pick([3600, DAY_SECONDS])) : null,
    storage: random.chance(0.05) ? drawOutage(random, 600, 3600) : null,
    catalog: random.chance(0.1) ? drawOutage(random, 600, random.pick([3600, DAY_SECONDS])) : null,
  };
  return { rates, outages, revoked: random.chance(0.03) ? drawOutage(random, 400, 4000) : null };
}

function drawOutage(random: Random, latest: number, longest: number): Outage {
  const from = random.between(0, latest);
  return { from, to: from + random.between(0, longest) };
}
