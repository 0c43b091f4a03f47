// What is to happen to each response, drawn from the seed. What comes of it depends on the machine as well: real programs run at once.
import { Random } from "../simulation/random.ts";
import { weighted } from "./weighted.ts";
import { drawFaults, type Rule } from "./faults.ts";
import { drawMail, type Mail } from "./webhook-schedule.ts";

/** The pause that stands for WEBHOOK_DEADLINE's two minutes, in seconds. */
export const DEADLINE = 5;

/** Who starts it: our trigger, in the background or held, another program of the project, or nobody: then only a webhook names it. */
export type Kind = "trigger" | "held" | "stranger" | "unknown";

/** One piece of Python, and whether it looks as if it shows something. */
export type Code = { python: string; shows: boolean };

/** When its outputs can be retrieved: at once, never, or so many seconds after its end. */
export type Outputs = "present" | "empty" | number;

export type Ending = "completed" | "failed" | "incomplete" | "cancelled";

/** What is to happen to one response. */
export type Plan = {
  number: number;
  kind: Kind;
  /** Seconds after the beginning at which it is started. */
  at: number;
  /** Whether the trigger carries an Idempotency-Key, and is sent again when its answer is lost. */
  keyed: boolean;
  codes: Code[];
  outputs: Outputs;
  ending: Ending;
  runs: number;
  control: boolean;
  replay: boolean;
  /** The text of a file that it writes, or null. */
  file: string | null;
  /** Whether its container has expired when it ends. */
  expires: boolean;
  /** Seconds after its end that OpenAI keeps it; null: for ever. */
  kept: number | null;
  faults: Rule[];
  mail: Mail;
};

const KINDS: [Kind, number][] = [
  ["trigger", 74],
  ["held", 10],
  ["stranger", 12],
  ["unknown", 4],
];
const ENDINGS: [Ending, number][] = [
  ["completed", 86],
  ["failed", 5],
  ["incomplete", 5],
  ["cancelled", 4],
];

const WHEN: ["present" | "empty" | "late", number][] = [
  ["present", 45],
  ["empty", 30],
  ["late", 25],
];

const CODES: [(number: number) => Code, number][] = [
  [(number) => ({ python: `print("soak ${number}")`, shows: true }), 60],
  [(number) => ({ python: `value = ${number}\nvalue * 2`, shows: true }), 10],
  [(number) => ({ python: `value = ${number}`, shows: false }), 12],
  [
    (number) => ({ python: `print("soak ${number}")\nraise ValueError(${number})`, shows: true }),
    8,
  ],
  [(number) => ({ python: `print("${number} " * 40_000)`, shows: true }), 5],
  [(number) => ({ python: `print("Zürich, 東京, ${number} 🎈")`, shows: true }), 5],
];

/**
 * The schedule of one response.
 * @param seed The soak's seed.
 * @param number Which response.
 * @param rate How many are started a second.
 */
export function planOf(seed: number, number: number, rate: number): Plan {
  const random = new Random(seed, number);
  const kind = weighted(random, KINDS);
  const fleeting = random.chance(0.06);
  // What is not stored and ran in the foreground can never be retrieved.
  const kept = fleeting && kind !== "held" ? 20 : null;
  const ending = weighted(random, ENDINGS);
  const file = random.chance(0.12) ? `soak ${number}\n`.repeat(random.whole(1, 400)) : null;
  return {
    number,
    kind,
    at: (number + random.between(-0.5, 0.5)) / rate,
    keyed: random.chance(0.4),
    codes: drawCodes(random, number, file),
    outputs: drawOutputs(random),
    ending,
    runs: ending === "cancelled" ? 4 : random.between(0.1, 3),
    control: random.chance(0.07) && kind !== "held",
    replay: random.chance(0.07) && kind !== "held",
    file,
    expires: file !== null && random.chance(0.4),
    kept,
    faults: drawFaults(random, { number, fleeting: kept !== null, held: kind === "held" }),
    mail: drawMail(random, { strange: kind === "stranger", deadline: DEADLINE }),
  };
}

/** The create parameters of a response, and the flags of a trigger. */
export function requestOf(plan: Plan): Record<string, unknown> {
  const blocks = plan.codes.map(({ python }) => `\`\`\`python\n${python}\n\`\`\``);
  return {
    model: "gpt-5.2",
    input: [...blocks, ...directivesOf(plan)].join("\n"),
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
    include: ["code_interpreter_call.outputs"],
    metadata: { soak: String(plan.number) },
  };
}

function directivesOf({ outputs, ending, runs, expires, kept }: Plan): string[] {
  const when = typeof outputs === "number" ? `late ${outputs} seconds` : outputs;
  const scripted = ending === "failed" ? "fail" : ending;
  return [
    `emulator: outputs ${when}`,
    `emulator: run ${runs.toFixed(2)} seconds`,
    ...(ending === "failed" || ending === "incomplete" ? [`emulator: ${scripted}`] : []),
    ...(expires ? ["emulator: container expires"] : []),
    ...(kept === null ? [] : [`emulator: kept ${kept} seconds`]),
  ];
}

function drawCodes(random: Random, number: number, file: string | null): Code[] {
  const drawn = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () =>
    weighted(random, CODES)(number),
  );
  if (file === null) return drawn;
  const python = `with open("report-${number}.txt", "w") as report:\n    written = report.write(${JSON.stringify(file)})`;
  return [...drawn, { python, shows: false }];
}

function drawOutputs(random: Random): Outputs {
  const kind = weighted(random, WHEN);
  if (kind === "late") return random.whole(1, 8);
  return kind === "empty" ? "empty" : "present";
}
