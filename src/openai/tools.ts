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
