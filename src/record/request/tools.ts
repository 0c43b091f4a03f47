// The tools of a request.
import * as z from "zod";

const Tool = z.looseObject({ type: z.string().catch("") });
export type Tool = z.infer<typeof Tool>;

const Tools = z.array(Tool.catch({ type: "" })).catch([]);

/** A request's tools, in their order; a tool without a type has the type "". */
export function readTools(tools: unknown): Tool[] {
  return Tools.parse(tools);
}

/** The types of a request's tools, in their order. */
export function toolTypes(tools: unknown): string[] {
  return readTools(tools).map(({ type }) => type);
}

/**
 * The types of the tools that a request names.
 * @returns Null when they are not known: it is another program's, or its stored prompt can have more.
 */
export function requestTools(request: Record<string, unknown> | null): string[] | null {
  if (request === null || (request["prompt"] ?? null) !== null) return null;
  return toolTypes(request["tools"]);
}
