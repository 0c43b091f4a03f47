import type { Container } from "../containers/containers.ts";
import { findUpload } from "../containers/uploads.ts";
import { findConversation } from "../conversations.ts";
import { ApiError } from "../errors.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { CreateParams, findInterpreterTool, type InterpreterTool } from "./create-params.ts";
import { assertInclude } from "./include.ts";
import { isCodeInterpreterCall } from "./items.ts";
import { findRun } from "./lifecycle.ts";
import { Run } from "./run.ts";

/** Creates a run from the body of a create request, and its container if needed. Throws the API's error for an invalid body. */
export function createRun(state: State, body: unknown): Run {
  const params = validate(CreateParams, body);
  assertInclude(params.include ?? []);
  const run = new Run(params, state.settings);
  assertInput(run);
  const previousContainerId = findPreviousContainerId(state, run);
  const tool = findInterpreterTool(params);
  if (tool) run.containerId = resolveContainer(state, tool, previousContainerId).id;
  return run;
}

function assertInput({ params, conversationId }: Run): void {
  const { input, prompt, previous_response_id } = params;
  if (conversationId !== null && previous_response_id) {
    const message =
      "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Send one of them.";
    throw new ApiError(400, message, { code: "mutually_exclusive_parameters" });
  }
  if (input ?? prompt ?? previous_response_id ?? conversationId) return;
  const message =
    "Missing required parameter: one of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided.";
  throw new ApiError(400, message, { param: "input", code: "missing_required_parameter" });
}

/** The container of the previous response, or of the conversation's last call. */
function findPreviousContainerId(state: State, { params, conversationId }: Run): string | null {
  const { previous_response_id } = params;
  if (previous_response_id) return findPreviousRun(state, previous_response_id).containerId;
  if (conversationId === null) return null;
  const { entries } = findConversation(state.conversations, conversationId);
  const calls = entries.map(({ item }) => item).filter(isCodeInterpreterCall);
  return calls.at(-1)?.container_id ?? null;
}

function findPreviousRun(state: State, id: string): Run {
  try {
    return findRun(state, id);
  } catch {
    throw new ApiError(400, `Previous response with id '${id}' not found.`, {
      param: "previous_response_id",
      code: "previous_response_not_found",
    });
  }
}

/** The container that the tool names, the previous one if it is still active, or a new one. */
function resolveContainer(
  { containers, uploads }: State,
  { container }: InterpreterTool,
  previousContainerId: string | null,
): Container {
  if (typeof container === "string") return containers.use(container);
  if (previousContainerId !== null && containers.isActive(previousContainerId)) {
    return containers.use(previousContainerId);
  }
  const files = (container.file_ids ?? []).map((id) => findUpload(uploads, id));
  const options = {
    name: "auto",
    memoryLimit: container.memory_limit ?? undefined,
    networkPolicy: container.network_policy ?? undefined,
  };
  return containers.create(options, files);
}
