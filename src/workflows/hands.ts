// Dependencies of the recorder workflow: step API and activities.
import * as z from "zod";
import type { Observed } from "../openai/observed.ts";
import {
  type FileEntry,
  ObservationResult,
  RunVerdict,
  StoredRecord,
  Webhook,
  type Channel,
  type ControlResult,
  type RecordKey,
  type RecorderEvent,
} from "../record/schema.ts";

/** The type of the Workflow event that wakes a Recorder. OpenAI's own type has a dot, which production refuses. */
export const WAKE = "webhook";

/** How long a step may take, and how it is retried. */
export type Config = {
  timeout: "5 minutes" | "24 hours";
  retries: {
    limit: number;
    delay: "2 seconds" | "5 minutes";
    backoff: "constant" | "exponential";
  };
};

/** A look ends within 90 s. It throws only when KV refuses the record, which is retried for about a day. */
export const LOOK: Config = {
  timeout: "5 minutes",
  retries: { limit: 300, delay: "5 minutes", backoff: "constant" },
};
/** A container expires 20 minutes after its last use. */
export const RESCUE: Config = {
  timeout: "5 minutes",
  retries: { limit: 6, delay: "2 seconds", backoff: "exponential" },
};
/** A POST that was cut off may have run, and is billed: no retries. */
export const CONTROL: Config = {
  timeout: "24 hours",
  retries: { limit: 0, delay: "2 seconds", backoff: "constant" },
};

/** The part of WorkflowStep that is used. https://developers.cloudflare.com/workflows/build/workers-api/#workflowstep */
export interface Step {
  do<T>(
    name: string,
    config: Config,
    callback: (context: { attempt: number }) => Promise<T>,
  ): Promise<T>;
  waitForEvent(
    name: string,
    options: { type: string; timeout: number },
  ): Promise<{ payload: RecorderEvent }>;
}

/** The activities: every side effect of a run. */
export interface Hands {
  look(record: StoredRecord, channel: Channel): Promise<Observed>;
  control(
    request: Record<string, unknown>,
    id: string,
  ): Promise<ControlResult & { outputs: unknown[] }>;
  /** Stores what another channel had. */
  keep(owner: RecordKey, channel: Channel, outputs: unknown[]): Promise<void>;
  store(record: StoredRecord, chunks: Uint8Array[] | null): Promise<void>;
  list(record: StoredRecord): Promise<void>;
  recall(id: string): Promise<StoredRecord | null>;
  forget(id: string, startedAt: string): Promise<void>;
  /** Wakes the waiting story of this very response. */
  wake(id: string, what: "control" | "files"): Promise<void>;
  findFiles(record: StoredRecord): Promise<FileEntry[]>;
  isToCopy(file: FileEntry): boolean;
  saveFile(owner: RecordKey, file: FileEntry): Promise<FileEntry>;
}

/** A look step's result: the history, from which readers follow a run, doesn't hold what an event brought. */
export const LookStep = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("look"), look: ObservationResult, webhook: Webhook.nullable() }),
  /** An attempt that was cut off had stored this already. */
  z.object({ kind: z.literal("stored"), record: StoredRecord }),
]);
export type LookStep = z.infer<typeof LookStep>;

/** How a run ended, as the instance's output. */
export const Outcome = z.object({
  id: z.string(),
  verdict: RunVerdict,
  recorded: z.boolean(),
});
export type Outcome = z.infer<typeof Outcome>;
