import type { ObservedCall } from "../../src/record/schema.ts";

/** A code interpreter call as an observation shows it, in a container of its own. */
export function toCodeCall(
  given: Partial<Omit<ObservedCall, "type" | "request">> & { code?: string | null },
): ObservedCall {
  const { code = "print(1)", ...call } = given;
  return {
    id: "ci_1",
    type: "code_interpreter_call",
    status: "completed",
    container_id: null,
    request: code,
    state: "empty",
    ...call,
  };
}
