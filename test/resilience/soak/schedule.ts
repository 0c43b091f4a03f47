// The plan of each response, drawn from the seed. The results depend on the machine as well: real programs run at once.
import type { FaultRule } from "../../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../../support/inputs.ts";
import { Random } from "../simulation/random.ts";
import { pickWeighted } from "./weighted.ts";
import { drawFaults } from "./faults.ts";
import type { Kind } from "./kind.ts";
import { drawWebhookSchedule, type WebhookSchedule } from "./webhook-schedule.ts";

/** The setting WEBHOOK_DEADLINE, shortened. */
export const WEBHOOK_DEADLINE_SECONDS = 5;

/** Python code, and whether it looks as if it has outputs. */
export type Code = { python: string; shows: boolean };

/** When its outputs can be retrieved: at once, never, or a number of seconds after its end. */
export type Outputs = "present" | "empty" | number;

export type Ending = "completed" | "failed" | "incomplete" | "cancelled";

export type Plan = {
  number: number;
  kind: Kind;
  /** When it is started, after the start of the soak. */
  startSeconds: number;
  /** Whether the trigger has an Idempotency-Key, and is repeated when its answer is lost. */
  hasKey: boolean;
  codes: Code[];
  outputs: Outputs;
  ending: Ending;
  runSeconds: number;
  control: boolean;
  /** Whether no replay of its stream is let through. */
  isCutForGood: boolean;
  /** How long after the trigger's answer the record is deleted; null: it is kept. */
  deletedAfterSeconds: number | null;
  /** The text of a file that it writes, or null. */
  file: string | null;
  /** Whether its container has expired when it ends. */
  containerExpires: boolean;
  /** How long OpenAI keeps it after its end; null: without a limit. */
  keptSeconds: number | null;
  /** Whether OpenAI has it no more after its create: each refetch is a 404. */
  vanishes: boolean;
  /** Whether its last call never finishes. */
  cutsCall: boolean;
  faults: FaultRule[];
  webhookSchedule: WebhookSchedule;
};

const KINDS: [Kind, number][] = [
  ["trigger", 50],
  ["held", 18],
  ["followed", 16],
  ["external", 12],
  ["unknown", 4],
];
/** A connection that is read has time to be lost after its first calls. */
const MAX_RUN_SECONDS: Record<Kind, number> = {
  trigger: 3,
  held: 6,
  followed: 6,
  external: 3,
  unknown: 3,
};

const ENDINGS: [Ending, number][] = [
  ["completed", 86],
  ["failed", 5],
  ["incomplete", 5],
  ["cancelled", 4],
];

const OUTPUTS: ["present" | "empty" | "late", number][] = [
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
 * Draws the plan of one response.
 * @param number Which of the soak's responses, from 1.
 */
export function createPlan(seed: number, number: number, startsPerSecond: number): Plan {
  const random = new Random(seed, number);
  const kind = pickWeighted(random, KINDS);
  const fleeting = random.chance(0.06);
  // A foreground run that is not stored can never be retrieved.
  const keptSeconds = fleeting && kind !== "held" ? 20 : null;
  const ending = pickWeighted(random, ENDINGS);
  const isTriggered = kind === "trigger" || kind === "held" || kind === "followed";
  const control = random.chance(0.12) && (kind === "trigger" || kind === "followed");
  const isCutForGood = random.chance(0.1) && kind === "followed";
  const isDeleted = random.chance(0.06) && isTriggered;
  const vanishes = kind === "trigger" && keptSeconds === null && random.chance(0.04);
  const cutsCall = ending === "incomplete" && !control && random.chance(0.6);
  const file = random.chance(0.12) ? `soak ${number}\n`.repeat(random.whole(1, 400)) : null;
  return {
    number,
    kind,
    startSeconds: (number + random.between(-0.5, 0.5)) / startsPerSecond,
    hasKey: random.chance(0.4),
    codes: drawCodes(random, number, file),
    outputs: drawOutputs(random),
    ending,
    runSeconds: ending === "cancelled" ? 4 : random.between(0.1, MAX_RUN_SECONDS[kind]),
    control,
    isCutForGood,
    deletedAfterSeconds: isDeleted ? random.between(0, 4) : null,
    file,
    containerExpires: file !== null && random.chance(0.4),
    keptSeconds,
    vanishes,
    cutsCall,
    faults: drawFaults(random, {
      number,
      kind,
      vanishes,
      isCompleted: ending === "completed",
      fleeting: keptSeconds !== null,
      control,
      isCutForGood,
    }),
    webhookSchedule: drawWebhookSchedule(random, {
      external: kind === "external",
      deadlineSeconds: WEBHOOK_DEADLINE_SECONDS,
    }),
  };
}

/** Returns the create parameters of a response. */
export function toCreateParams(plan: Plan): Record<string, unknown> {
  const code = toPythonInput(...plan.codes.map(({ python }) => python));
  return {
    model: "gpt-5.2",
    input: [code, ...toDirectives(plan)].join("\n"),
    tools: CODE_INTERPRETER,
    include: ["code_interpreter_call.outputs"],
    metadata: { soak: String(plan.number) },
  };
}

/** The call of a run that never finishes. */
export function toCutCall({ number }: Plan) {
  const code = `print("never ${number}")`;
  const state = { status: "incomplete", container_id: null, outputs: [] };
  return { type: "code_interpreter_call", id: `ci_cut_${number}`, code, ...state };
}

/** What the model answers step by step, where the input can't say it; else null. */
export function toScript(plan: Plan): object[] | null {
  if (!plan.cutsCall) return null;
  const codes = plan.codes.map(({ python }) => ({ code: python }));
  return [...codes, { item: toCutCall(plan) }, { incomplete: "max_output_tokens" }];
}

function toDirectives({
  outputs,
  ending,
  runSeconds,
  containerExpires,
  keptSeconds,
}: Plan): string[] {
  const when = typeof outputs === "number" ? `late ${outputs} seconds` : outputs;
  const scripted = ending === "failed" ? "fail" : ending;
  return [
    `emulator: outputs ${when}`,
    `emulator: run ${runSeconds.toFixed(2)} seconds`,
    ...(ending === "failed" || ending === "incomplete" ? [`emulator: ${scripted}`] : []),
    ...(containerExpires ? ["emulator: container expires"] : []),
    ...(keptSeconds === null ? [] : [`emulator: kept ${keptSeconds} seconds`]),
  ];
}

function drawCodes(random: Random, number: number, file: string | null): Code[] {
  const drawn = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () =>
    pickWeighted(random, CODES)(number),
  );
  if (file === null) return drawn;
  const python = `with open("report-${number}.txt", "w") as report:\n    written = report.write(${JSON.stringify(file)})`;
  return [...drawn, { python, shows: false }];
}

function drawOutputs(random: Random): Outputs {
  const kind = pickWeighted(random, OUTPUTS);
  if (kind === "late") return random.whole(1, 8);
  return kind === "empty" ? "empty" : "present";
}
