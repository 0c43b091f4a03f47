// The control: the same request with `background: false`, for comparison.
import * as z from "zod";
import { METADATA_KEY } from "../record/schema.ts";
import { readTools } from "../record/request/tools.ts";

/** Tools that would act twice on the world. */
const ACTING_TOOLS = new Set(["mcp", "function", "custom", "shell"]);

/** The id of a container that exists already: OpenAI names new ones itself. */
const CONTAINER_ID = /"cntr_/;

/**
 * Why a request's second run would prove nothing, or do harm.
 * @param request Create parameters.
 * @returns The reason, or null when a control can be compared.
 */
export function whyNotComparable(request: Record<string, unknown>): string | null {
  if ((request["conversation"] ?? null) !== null) {
    return "it belongs to a conversation, which would get its items twice";
  }
  if ((request["previous_response_id"] ?? null) !== null) {
    return "it continues another response, whose container both runs would share";
  }
  const tools = readTools(request["tools"]);
  const acting = tools.find(({ type }) => ACTING_TOOLS.has(type));
  if (acting !== undefined) return `its ${acting.type} tool would act twice`;
  if (tools.some((tool) => CONTAINER_ID.test(JSON.stringify(tool)))) {
    return "both runs would share the container that it names";
  }
  return null;
}

/**
 * The metadata of a control: the request's, and the response that it is compared with.
 * @param id The background run's response id.
 */
export function toControlMetadata(metadata: unknown, id: string): Record<string, unknown> {
  const own = z.record(z.string(), z.unknown()).catch({}).parse(metadata);
  return { ...own, [METADATA_KEY]: JSON.stringify({ control_of: id }) };
}
