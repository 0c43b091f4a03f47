import type { CreateParams } from "./create-params.ts";
import type { Run } from "./run.ts";
import { toEchoedTool } from "./tools.ts";
import type { View } from "./visibility.ts";

/** The model of a stored prompt. */
const PROMPT_MODEL = "gpt-5.2";

/** Members that recorded responses have and no document names. */
const UNDOCUMENTED_MEMBERS = {
  billing: { payer: "developer" },
  frequency_penalty: 0,
  presence_penalty: 0,
  tool_usage: {
    image_gen: {
      input_tokens: 0,
      input_tokens_details: { image_tokens: 0, text_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { image_tokens: 0, text_tokens: 0 },
      total_tokens: 0,
    },
    web_search: { num_requests: 0 },
  },
};

/** Builds the response object that the API returns. */
export function toResponse(run: Run, view: View): Record<string, unknown> {
  const { params, end, settings } = run;
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
    model: params.model ?? PROMPT_MODEL,
    moderation: params.moderation ? toModeration(params.moderation) : null,
    output: run.output.flatMap((item) => view(item) ?? []),
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
    tools: (params.tools ?? []).map((tool) => toEchoedTool(tool, settings)),
    top_logprobs: params.top_logprobs ?? 0,
    top_p: params.top_p ?? 1,
    truncation: params.truncation ?? "disabled",
    usage: end?.usage ?? null,
    user: params.user ?? null,
    metadata: params.metadata ?? {},
    ...(params.prompt ? { prompt: params.prompt } : {}),
    ...(run.conversationId === null ? {} : { conversation: { id: run.conversationId } }),
    ...(settings.undocumentedMembers ? UNDOCUMENTED_MEMBERS : {}),
    ...(end && run.script?.response),
  };
}

/** Nothing is moderated: nothing is flagged. */
function toModeration({ model }: Record<string, unknown>) {
  const result = {
    type: "moderation_result",
    model,
    flagged: false,
    categories: {},
    category_scores: {},
    category_applied_input_types: {},
  };
  return { input: result, output: result };
}

function toServiceTier(tier: CreateParams["service_tier"]): string {
  return tier === undefined || tier === null || tier === "auto" ? "default" : tier;
}
