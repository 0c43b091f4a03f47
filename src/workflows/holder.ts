// Main loop of a held connection: sends the request in the foreground, and keeps the connection until the run ends.
// docs/decisions/0004-holder-workflow.md says why a Workflow holds it, and not the Recorder itself.
import * as z from "zod";
import { RecorderParams } from "../record/schema.ts";
import { redactRequest } from "../record/redact.ts";
import { ONCE, UNTIL_DONE, type Step } from "./step.ts";

/** The steps that others wait for, and the event that ends the connection. */
export const BEGIN = "begin";
export const HAND_OVER = "hand over";
export const HOLD = "hold";
export const STOP = "stop";

/** What an instance is created with. */
export const Holding = z.object({
  /** Create parameters, as they go to OpenAI. */
  request: z.record(z.string(), z.unknown()),
  /** What the Recorder begins with, but for the request and what OpenAI says first. */
  start: RecorderParams.omit({ id: true, created: true, holder: true, request: true }),
});
export type Holding = z.infer<typeof Holding>;

/** How it began. `failed`: no answer, or its result was lost; `late`: not within the time that the caller waits. */
export const Begun = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("held"),
    id: z.string(),
    created: RecorderParams.shape.created.unwrap(),
    /** The first response object, as JSON. */
    response: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
  z.object({
    kind: z.literal("refused"),
    status: z.number(),
    /** OpenAI's own error object. */
    error: z.unknown().optional(),
    request_id: z.string().nullable(),
    retry_after: z.string().nullable(),
  }),
  z.object({ kind: z.literal("failed"), late: z.boolean(), message: z.string() }),
]);
export type Begun = z.infer<typeof Begun>;

/** A connection that is being held. */
export interface Line {
  /** Reads it to its end; what it leaves is for the Recorder. */
  read(): Promise<ReadableStream<Uint8Array>>;
  close(): void;
}

/** The activities: every side effect of a held connection. */
export interface HolderHands {
  begin(request: Record<string, unknown>): Promise<{ begun: Begun; line: Line | null }>;
  handOver(start: RecorderParams): Promise<void>;
  /** What is left when the connection was lost together with its Holder. */
  lost(): ReadableStream<Uint8Array>;
  /** Reports to the Recorder that the connection has ended. */
  reportEnd(start: RecorderParams): Promise<void>;
}

/** A run may take a day; the wait for the event that ends it is longer. */
const LONGEST = 25 * 60 * 60 * 1000;

const INTERRUPTED: Begun = {
  kind: "failed",
  late: false,
  message: "The recorder was interrupted while it waited for OpenAI's first word.",
};

/**
 * Holds one connection.
 * @param holder The instance's id.
 * @param holding What the instance was created with.
 * @param step The Workflow's step, or a stand-in for it.
 * @param hands What asks OpenAI and hands over.
 */
export async function hold(
  holder: string,
  holding: Holding,
  step: Step,
  hands: HolderHands,
): Promise<null> {
  let line: Line | null = null;
  const close = (): void => line?.close();
  const begun = await step
    .do(BEGIN, ONCE, async ({ attempt }): Promise<Begun> => {
      if (attempt > 1) return INTERRUPTED;
      const made = await hands.begin(holding.request);
      line = made.line;
      return made.begun;
    })
    // The step's result could not be stored, so the run would be lost: close the connection.
    .catch(close);
  if (begun?.kind !== "held") return null;
  const { id, created } = begun;
  const start: RecorderParams = {
    ...holding.start,
    id,
    created,
    holder,
    request: redactRequest(holding.request),
  };
  void closeWhenAsked(step, close);
  const handedOver = step.do(HAND_OVER, UNTIL_DONE, async () => {
    await hands.handOver(start);
    return null;
  });
  // A crash takes the connection with it: another attempt finds none.
  const ended = step.do(HOLD, ONCE, async ({ attempt }) =>
    attempt > 1 || line === null ? hands.lost() : line.read(),
  );
  await Promise.all([handedOver, ended.catch(() => null)]);
  await step.do("report", UNTIL_DONE, async () => {
    await hands.reportEnd(start);
    return null;
  });
  return null;
}

// After the run's end no event comes; the wait ends with the instance.
async function closeWhenAsked(step: Step, close: () => void): Promise<void> {
  const asked = await step
    .waitForEvent(STOP, { type: STOP, timeout: LONGEST })
    .then(() => true)
    .catch(() => false);
  if (asked) close();
}
