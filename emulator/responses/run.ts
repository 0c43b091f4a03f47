import type { CallError } from "../interpreter/messages.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { Script, Step } from "../scripts/schema.ts";
import type { Settings } from "../settings.ts";
import { type CreateParams, findInterpreterTool } from "./create-params.ts";
import { EventLog } from "./event-log.ts";
import { getLastUserText, toInputItems } from "./input-items.ts";
import type { CodeInterpreterCall, Item } from "./items.ts";
import { type Directives, parseDirectives } from "./scripted-model.ts";
import type { Usage } from "./usage.ts";
import { type Channel, createView, getLossRules, type LossRules, type View } from "./visibility.ts";

export type RunStatus =
  | "queued"
  | "in_progress"
  | "completed"
  | "failed"
  | "cancelled"
  | "incomplete";

/** How a run ended. */
export interface RunEnd {
  status: RunStatus;
  error?: { code: string; message: string };
  incomplete?: { reason: string };
  usage?: Usage;
  /** Whether its stream ends with `response.completed` or the like; true by default. */
  hasFinalEvent?: boolean;
  /** The body of an `error` event that comes before. */
  errorEvent?: Record<string, unknown>;
}

/** The execution of one response: its parameters and everything that happened. Clients see parts of it. */
export class Run {
  readonly id = newId("resp");
  /** Unix seconds. */
  readonly createdAt = toUnixSeconds();
  readonly params: CreateParams;
  readonly background: boolean;
  /** The `include` of the create request. */
  readonly included: ReadonlySet<string>;
  readonly store: boolean;
  readonly conversationId: string | null;
  /** The emulator's settings, as they are now. */
  readonly settings: Settings;
  readonly input: Item[];
  /** The items that are done, in order. */
  readonly output: Item[] = [];
  readonly directives: Directives;
  readonly events = new EventLog();
  readonly abortController = new AbortController();
  readonly ended = Promise.withResolvers<void>();
  /** Resolves when a script breaks the creator's connection. */
  readonly cut = Promise.withResolvers<void>();
  /** All calls whose code ran, also those that the response does not show because it was cancelled. */
  readonly executedCalls: CodeInterpreterCall[] = [];
  /** Why calls raised an exception or were terminated, by the calls' ids. */
  readonly callErrors = new Map<string, CallError>();
  /** When the last event of an item came, by the item's id, and that event's number. */
  readonly doneItems = new Map<string, { at: string; event: number }>();
  /** The script that answers the request; null: the directives do. */
  script: Script | null = null;
  /** What the model answers. */
  steps: Step[] = [];
  status: RunStatus;
  /** Whether the API has lost it: it answers 404. */
  isForgotten = false;
  /** The number of times that it was retrieved after its end. */
  readsAfterEnd = 0;
  /** Milliseconds; null before the end. */
  endedAt: number | null = null;
  /** The container of its calls. */
  containerId: string | null = null;
  end: RunEnd | null = null;

  constructor(params: CreateParams, settings: Settings) {
    this.params = params;
    this.settings = settings;
    this.background = params.background === true;
    this.included = new Set(params.include);
    this.conversationId = toConversationId(params.conversation);
    this.input = toInputItems(params.input);
    const hasInterpreterTool = findInterpreterTool(params) !== null;
    this.directives = parseDirectives(getLastUserText(this.input), hasInterpreterTool);
    const isKept = this.directives.keptSeconds === null;
    this.store = settings.effectiveStore && params.store !== false && isKept;
    this.status = this.background ? "queued" : "in_progress";
  }

  /** Unix seconds; null unless the run has completed. */
  get completedAt(): number | null {
    if (this.status !== "completed" || this.endedAt === null) return null;
    return toUnixSeconds(this.endedAt);
  }

  /** The view of a client who reads it in a channel and sent these values of `include`. */
  createView(channel: Channel, included: ReadonlySet<string>): View {
    return createView({ included, lossRules: this.#getLossRules(channel), endedAt: this.endedAt });
  }

  /** Foreground runs lose nothing. */
  #getLossRules(channel: Channel): LossRules {
    if (!this.background) return {};
    const rules = getLossRules(this.settings, channel);
    const { outputsRule } = this.directives;
    const isReplaced = channel === "response" && outputsRule !== null;
    return isReplaced ? { ...rules, Outputs: outputsRule } : rules;
  }

  /** Breaks the connection of the request that created it, after the events so far. */
  cutConnection(): void {
    this.events.cut();
    this.cut.resolve();
  }
}

function toConversationId(conversation: CreateParams["conversation"]): string | null {
  if (conversation === undefined || conversation === null) return null;
  return typeof conversation === "string" ? conversation : conversation.id;
}
