// The tools of a request.
import * as z from "zod";

const Tools = z.array(z.looseObject({ type: z.string().catch("") }).catch({ type: "" })).catch([]);

/** The types of a request's tools, in their order; a tool without a type counts as "". */
export function toolTypes(tools: unknown): string[] {
  return Tools.parse(tools).map(({ type }) => type);
}
