// Draws what happens to the streams that a run's Connections read.
import type { Random } from "./random.ts";

/** What OpenAI does with one stream. */
export type StreamScript = {
  /** How it answers the request. */
  opens: "well" | "refused" | "unreachable";
  /** Seconds after the first event at which the connection breaks; null: never. */
  breaks: number | null;
  /** It breaks with an `error` event. */
  endsWithError: boolean;
  /** What becomes of a foreground run whose connection breaks; null: the run is in the background. */
  cut: "finishes" | "cancels" | null;
  /** Whether its events have sequence numbers. */
  isNumbered: boolean;
  /** A stream that is taken up again repeats events. */
  repeats: boolean;
  /** Seconds after the first event for which the stream can be taken up again; null: always. */
  window: number | null;
  /** The probability that a stream breaks again that was taken up. */
  breaksAgain: number;
  /** The object dies when its first event is stored, before the run is handed over. */
  diesAtFirst: boolean;
  /** Seconds after the opening at which the object is evicted; null: at no certain time. */
  evicted: number | null;
};

/** The stream that the run's own Connection reads. */
export type RunStreamScript = StreamScript & {
  kind: "held" | "followed";
  by: "trigger" | "v1";
  /** Where the outputs stand that it brings. */
  brings: "in the response" | "with their calls" | "nowhere";
  /** Whether OpenAI denies by GET that there is such a response. */
  denied: boolean;
};

/** The stream of the control. */
export type ControlScript = StreamScript & {
  /** Seconds that it takes. */
  after: number;
  ends: "same code" | "different code" | "fewer calls" | "empty" | "never";
  /** Seconds after the Recorder's start at which the Worker opens it; null: the Worker dies before. */
  openedAfter: number | null;
};

const DAY_SECONDS = 24 * 60 * 60;

const PLAIN: StreamScript = {
  opens: "well",
  breaks: null,
  endsWithError: false,
  cut: null,
  isNumbered: true,
  repeats: false,
  window: null,
  breaksAgain: 0,
  diesAtFirst: false,
  evicted: null,
};

/** Draws the stream of a held or followed run. */
export function drawRunStream(random: Random, calm: boolean): RunStreamScript {
  const kind = random.pick<RunStreamScript["kind"]>(["held", "followed"]);
  const isHeld = kind === "held";
  const by = isHeld ? random.pick<RunStreamScript["by"]>(["trigger", "v1"]) : "trigger";
  const brings = random.chance(isHeld ? 0.9 : 0.6)
    ? "in the response"
    : random.pick<RunStreamScript["brings"]>(["with their calls", "nowhere"]);
  const cut = isHeld ? random.pick<"finishes" | "cancels">(["finishes", "cancels"]) : null;
  if (calm) return { ...PLAIN, kind, by, brings, cut, denied: false };
  return {
    ...drawStream(random),
    kind,
    by,
    brings,
    cut,
    denied: isHeld && random.chance(0.03),
    isNumbered: random.chance(0.95),
    repeats: random.chance(0.2),
    window: random.chance(0.2) ? random.pick([5, 60, 600]) * random.next() : null,
    breaksAgain: random.pick([0, 0, 0.3, 0.9]),
  };
}

/** Draws the stream of a control. */
export function drawControl(random: Random, calm: boolean): ControlScript {
  const after = random.pick([5, 30, 300, 3600]) * random.between(0.5, 1);
  const ends = random.pick<ControlScript["ends"]>([
    "same code",
    "same code",
    "different code",
    "fewer calls",
    "empty",
  ]);
  const openedAfter = random.between(0, 1);
  if (calm) return { ...PLAIN, after, ends, openedAfter };
  const stream = drawStream(random);
  if (random.chance(0.01)) return { ...stream, after: 2 * DAY_SECONDS, ends: "never", openedAfter };
  if (random.chance(0.05)) return { ...stream, after, ends, openedAfter: null };
  const isLate = random.chance(0.03);
  return { ...stream, after, ends, openedAfter: isLate ? random.between(0, 300) : openedAfter };
}

function drawStream(random: Random): StreamScript {
  const breaks = random.chance(0.3) ? random.pick([0.3, 5, 60, 600]) * random.next() : null;
  return {
    ...PLAIN,
    opens: random.chance(0.92) ? "well" : random.pick(["refused", "unreachable"]),
    breaks,
    endsWithError: breaks !== null && random.chance(0.15),
    diesAtFirst: random.chance(0.04),
    evicted: random.chance(0.15) ? random.pick([0.5, 2, 60, 900]) * random.next() : null,
  };
}
