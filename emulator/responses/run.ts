import type { CallError } from "../interpreter/messages.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { Settings } from "../settings.ts";
import { type CreateParams, findInterpreterTool } from "./create-params.ts";
import { EventLog } from "./event-log.ts";
import { INCLUDE_OUTPUTS } from "./include.ts";
import { getLastUserText, toInputItems } from "./input-items.ts";
import type { CodeInterpreterCall, InputItem, OutputItem } from "./items.ts";
import { parseScript, type Script } from "./scripted-model.ts";
import { createView, type View } from "./visibility.ts";

export type RunStatus =
  | "queued"
  | "in_progress"
  | "completed"
  | "failed"
  | "cancelled"
  | "incomplete";

export interface Usage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

/** How a run ended. */
export interface RunEnd {
  status: RunStatus;
  output: OutputItem[];
  error?: { code: string; message: string };
  incomplete?: { reason: string };
  usage?: Usage;
}

/** The execution of one response: its parameters and everything that happened. Clients see parts of it. */
export class Run {
  readonly id = newId("resp");
  /** Unix seconds. */
  readonly createdAt = toUnixSeconds();
  readonly params: CreateParams;
  readonly background: boolean;
  /** Whether the create request includes outputs. */
  readonly includesOutputs: boolean;
  readonly store: boolean;
  readonly conversationId: string | null;
  readonly input: InputItem[];
  readonly script: Script;
  readonly events = new EventLog();
  readonly abortController = new AbortController();
  readonly ended = Promise.withResolvers<void>();
  /** All calls whose code ran, also those that the response does not show because it was cancelled. */
  readonly executedCalls: CodeInterpreterCall[] = [];
  /** Why calls raised an exception or were terminated, by the calls' ids. */
  readonly callErrors = new Map<string, CallError>();
  status: RunStatus;
  /** Milliseconds; null before the end. */
  endedAt: number | null = null;
  /** The container of its calls. */
  containerId: string | null = null;
  end: RunEnd | null = null;

  constructor(params: CreateParams, { effectiveStore }: Settings) {
    this.params = params;
    this.background = params.background === true;
    this.includesOutputs = params.include?.includes(INCLUDE_OUTPUTS) ?? false;
    this.conversationId = toConversationId(params.conversation);
    this.input = toInputItems(params.input);
    this.script = parseScript(getLastUserText(this.input), findInterpreterTool(params) !== null);
    this.store = effectiveStore && params.store !== false && this.script.keptSeconds === null;
    this.status = this.background ? "queued" : "in_progress";
  }

  get output(): OutputItem[] {
    return this.end?.output ?? [];
  }

  /** Unix seconds; null unless the run has completed. */
  get completedAt(): number | null {
    if (this.status !== "completed" || this.endedAt === null) return null;
    return toUnixSeconds(this.endedAt);
  }

  /** The view of a client who did or did not include outputs. */
  createView(outputsRule: string, includesOutputs: boolean): View {
    const { background, endedAt } = this;
    return createView({ includesOutputs, background, outputsRule, endedAt });
  }
}

function toConversationId(conversation: CreateParams["conversation"]): string | null {
  if (conversation === undefined || conversation === null) return null;
  return typeof conversation === "string" ? conversation : conversation.id;
}
