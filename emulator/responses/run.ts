import { Events } from "./event-log.ts";
import { newId, unix } from "../lib/ids.ts";
import { type Call, type Given, type Made, type See, type Sight, sight } from "./items.ts";
import { script, type Script } from "./scripted-model.ts";
import {
  type CreateRequest,
  inputItems,
  interpreter,
  lastWords,
  OUTPUTS,
} from "./create-params.ts";
import { concealed } from "../redact-secrets.ts";
import type { Settings } from "../settings.ts";

export type Status = "queued" | "in_progress" | "completed" | "failed" | "cancelled" | "incomplete";

export interface Usage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

/** How a run ends. */
export interface End {
  status: Status;
  output: Made[];
  error?: { code: string; message: string };
  incomplete?: { reason: string };
  usage?: Usage;
}

/** One response: what was asked, and the truth about what came of it. */
export class Run {
  readonly id = newId("resp");
  readonly createdAt = unix();
  readonly request: CreateRequest;
  readonly background: boolean;
  readonly included: boolean;
  readonly store: boolean;
  readonly conversation: string | null;
  readonly input: Given[];
  /** What the model has been told to do. */
  readonly script: Script;
  readonly events = new Events();
  readonly abort = new AbortController();
  readonly ended = Promise.withResolvers<void>();
  /** Calls that were carried out, also where the response ended without them. */
  readonly done: Call[] = [];
  /** Calls whose code raised, or took too long. */
  readonly raised = new Set<string>();
  status: Status;
  /** When the run ended, in milliseconds. */
  endedAt: number | null = null;
  /** The container of its calls. */
  container: string | null = null;
  end: End | null = null;

  constructor(request: CreateRequest, { effectiveStore }: Settings) {
    this.request = request;
    this.background = request.background === true;
    this.included = request.include?.includes(OUTPUTS) ?? false;
    this.conversation = conversationId(request.conversation);
    this.input = inputItems(request.input);
    this.script = script(lastWords(this.input), interpreter(request) !== null);
    this.store = effectiveStore && request.store !== false && this.script.kept === null;
    this.status = this.background ? "queued" : "in_progress";
  }

  get output(): Made[] {
    return this.end?.output ?? [];
  }

  get completedAt(): number | null {
    return this.status === "completed" && this.endedAt !== null ? unix(this.endedAt) : null;
  }

  /** How a reader who asked for outputs, or didn't, sees this run by a rule. */
  sight(rule: string, included: boolean): See {
    const given: Sight = { included, background: this.background, rule, endedAt: this.endedAt };
    return sight(given);
  }
}

function conversationId(given: CreateRequest["conversation"]): string | null {
  if (given === undefined || given === null) return null;
  return typeof given === "string" ? given : given.id;
}

/** The response object that the API gives. */
export function describe(run: Run, see: See): Record<string, unknown> {
  const { request, end } = run;
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
    service_tier: service(request.service_tier),
    store: run.store,
    temperature: request.temperature ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...request.text },
    tool_choice: request.tool_choice ?? "auto",
    tools: (request.tools ?? []).map(concealed),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? "disabled",
    usage: end?.usage ?? null,
    user: request.user ?? null,
    metadata: request.metadata ?? {},
    ...(run.conversation === null ? {} : { conversation: { id: run.conversation } }),
  };
}

function service(tier: CreateRequest["service_tier"]): string {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}
