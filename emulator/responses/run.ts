import { EventLog } from "./event-log.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import {
  type CodeInterpreterCall,
  type InputItem,
  type OutputItem,
  type View,
  type Visibility,
  createView,
} from "./items.ts";
import { parseScript, type Script } from "./scripted-model.ts";
import {
  type CreateParams,
  toInputItems,
  findInterpreterTool,
  getLastUserText,
  OUTPUTS_INCLUDE,
} from "./create-params.ts";
import { redactSecrets } from "../redact-secrets.ts";
import type { Settings } from "../settings.ts";

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

/** How a run ends. */
export interface RunEnd {
  status: RunStatus;
  output: OutputItem[];
  error?: { code: string; message: string };
  incomplete?: { reason: string };
  usage?: Usage;
}

/** One response: what was asked, and the truth about what came of it. */
export class Run {
  readonly id = newId("resp");
  readonly createdAt = toUnixSeconds();
  readonly params: CreateParams;
  readonly background: boolean;
  readonly includesOutputs: boolean;
  readonly store: boolean;
  readonly conversationId: string | null;
  readonly input: InputItem[];
  /** What the model has been told to do. */
  readonly script: Script;
  readonly events = new EventLog();
  readonly abortController = new AbortController();
  readonly ended = Promise.withResolvers<void>();
  /** Calls that were carried out, also where the response ended without them. */
  readonly executedCalls: CodeInterpreterCall[] = [];
  /** Calls whose code raised, or took too long. */
  readonly raisedCallIds = new Set<string>();
  status: RunStatus;
  /** When the run ended, in milliseconds. */
  endedAt: number | null = null;
  /** The container of its calls. */
  containerId: string | null = null;
  end: RunEnd | null = null;

  constructor(request: CreateParams, { effectiveStore }: Settings) {
    this.params = request;
    this.background = request.background === true;
    this.includesOutputs = request.include?.includes(OUTPUTS_INCLUDE) ?? false;
    this.conversationId = toConversationId(request.conversation);
    this.input = toInputItems(request.input);
    this.script = parseScript(getLastUserText(this.input), findInterpreterTool(request) !== null);
    this.store = effectiveStore && request.store !== false && this.script.keptSeconds === null;
    this.status = this.background ? "queued" : "in_progress";
  }

  get output(): OutputItem[] {
    return this.end?.output ?? [];
  }

  get completedAt(): number | null {
    return this.status === "completed" && this.endedAt !== null
      ? toUnixSeconds(this.endedAt)
      : null;
  }

  /** How a reader who asked for outputs, or didn't, sees this run by a rule. */
  createView(rule: string, included: boolean): View {
    const given: Visibility = {
      includesOutputs: included,
      background: this.background,
      outputsRule: rule,
      endedAt: this.endedAt,
    };
    return createView(given);
  }
}

function toConversationId(given: CreateParams["conversation"]): string | null {
  if (given === undefined || given === null) return null;
  return typeof given === "string" ? given : given.id;
}

/** The response object that the API gives. */
export function toResponse(run: Run, see: View): Record<string, unknown> {
  const { params: request, end } = run;
  return {
    id: run.id,
    object: "response",
    created_at: run.createdAt,
    status: run.status,
    background: run.background,
    completed_at: run.completedAt,
    error: end?.error ?? null,
    incomplete_details: end?.incomplete ?? null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: request.model,
    output: run.output.map(see),
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    prompt_cache_retention: request.prompt_cache_retention ?? null,
    reasoning: { effort: "none", summary: null, ...request.reasoning },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: toServiceTier(request.service_tier),
    store: run.store,
    temperature: request.temperature ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...request.text },
    tool_choice: request.tool_choice ?? "auto",
    tools: (request.tools ?? []).map(redactSecrets),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? "disabled",
    usage: end?.usage ?? null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
    ...(run.conversationId === null ? {} : { conversation: { id: run.conversationId } }),
  };
}

function toServiceTier(tier: CreateParams["service_tier"]): string {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}
