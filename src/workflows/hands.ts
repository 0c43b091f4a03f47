// What the story of a response is told with: the Workflow's steps, and the hands that look, store and list.
import * as z from "zod";
import {
  KeptFile,
  Known,
  KnownControl,
  Look,
  Observation,
  ResponseVerdict,
  Webhook,
  type Channel,
  type Owner,
  type Wake,
} from "../record/schema.ts";

/** The type of the Workflow event that wakes a Recorder. OpenAI's own type has a dot, which production refuses. */
export const WAKE = "webhook";

/** How long a step may take, and how it is tried again. */
export type Config = {
  timeout: "5 minutes" | "24 hours";
  retries: {
    limit: number;
    delay: "2 seconds" | "5 minutes";
    backoff: "constant" | "exponential";
  };
};

/** A look answers in 90 s at the most; it throws only when KV refuses the record, which is tried again for about a day. */
export const LOOK: Config = {
  timeout: "5 minutes",
  retries: { limit: 300, delay: "5 minutes", backoff: "constant" },
};
/** A container dies after 20 minutes without use. */
export const RESCUE: Config = {
  timeout: "5 minutes",
  retries: { limit: 6, delay: "2 seconds", backoff: "exponential" },
};
/** It POSTs: what was cut off may have run, and is billed. */
export const CONTROL: Config = {
  timeout: "24 hours",
  retries: { limit: 0, delay: "2 seconds", backoff: "constant" },
};

/** What the story needs of a WorkflowStep. https://developers.cloudflare.com/workflows/build/workers-api/#workflowstep */
export interface Step {
  do<T>(
    name: string,
    config: Config,
    callback: (context: { attempt: number }) => Promise<T>,
  ): Promise<T>;
  waitForEvent(
    name: string,
    options: { type: string; timeout: number },
  ): Promise<{ payload: Wake }>;
}

/** What a look brought back: what is known from it, and for the store its body or, by another channel, its calls with their outputs. */
export type Seen = {
  look: Look;
  chunks: Uint8Array[] | null;
  /** Reads them: most looks need none, and they can have megabytes. */
  outputs: (() => unknown[]) | null;
};

/** What came of a control. `observation` is null when it never ran. */
export const Ran = z.object({ observation: Observation.nullable(), control: KnownControl });
export type Ran = z.infer<typeof Ran>;

/** What the story does to the world. */
export interface Hands {
  look(record: Known, channel: Channel): Promise<Seen>;
  control(request: Record<string, unknown>, id: string): Promise<Ran & { outputs: unknown[] }>;
  /** Stores what another channel had. */
  keep(owner: Owner, channel: Channel, outputs: unknown[]): Promise<void>;
  store(record: Known, chunks: Uint8Array[] | null): Promise<void>;
  list(record: Known): Promise<void>;
  recall(id: string): Promise<Known | null>;
  forget(id: string, startedAt: string): Promise<void>;
  /** Wakes the waiting story of this very response. */
  wake(id: string, what: "control" | "files"): Promise<void>;
  findFiles(record: Known): Promise<KeptFile[]>;
  isToCopy(file: KeptFile): boolean;
  saveFile(owner: Owner, file: KeptFile): Promise<KeptFile>;
}

/** A look step's result: the history, from which readers follow a run, doesn't hold what an event brought. */
export const LookStep = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("look"), look: Look, webhook: Webhook.nullable() }),
  /** An attempt that was cut off had stored this already. */
  z.object({ kind: z.literal("stored"), record: Known }),
]);
export type LookStep = z.infer<typeof LookStep>;

/** How a run ended, as the instance's output. */
export const Outcome = z.object({
  id: z.string(),
  verdict: ResponseVerdict,
  recorded: z.boolean(),
});
export type Outcome = z.infer<typeof Outcome>;
