import { redactSecrets } from "../redact-secrets.ts";
import type { CreateParams } from "./create-params.ts";
import type { Run } from "./run.ts";
import type { View } from "./visibility.ts";

/** Builds the response object that the API returns. */
export function toResponse(run: Run, view: View): Record<string, unknown> {
  const { params, end } = run;
  return {
    id: run.id,
    object: "response",
    created_at: run.createdAt,
    status: run.status,
    background: run.background,
    completed_at: run.completedAt,
    error: end?.error ?? null,
    incomplete_details: end?.incomplete ?? null,
    instructions: params.instructions ?? null,
    max_output_tokens: params.max_output_tokens ?? null,
    max_tool_calls: params.max_tool_calls ?? null,
    model: params.model,
    output: run.output.map(view),
    parallel_tool_calls: params.parallel_tool_calls ?? true,
    previous_response_id: params.previous_response_id ?? null,
    prompt_cache_key: params.prompt_cache_key ?? null,
    prompt_cache_retention: params.prompt_cache_retention ?? null,
    reasoning: { effort: "none", summary: null, ...params.reasoning },
    safety_identifier: params.safety_identifier ?? null,
    service_tier: toServiceTier(params.service_tier),
    store: run.store,
    temperature: params.temperature ?? 1,
    text: { format: { type: "text" }, verbosity: "medium", ...params.text },
    tool_choice: params.tool_choice ?? "auto",
    tools: (params.tools ?? []).map(redactSecrets),
    top_logprobs: params.top_logprobs ?? 0,
    top_p: params.top_p ?? 1,
    truncation: params.truncation ?? "disabled",
    usage: end?.usage ?? null,
    user: params.user ?? null,
    metadata: params.metadata ?? {},
    ...(run.conversationId === null ? {} : { conversation: { id: run.conversationId } }),
  };
}

function toServiceTier(tier: CreateParams["service_tier"]): string {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}
