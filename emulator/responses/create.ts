import type { Container } from "../containers/containers.ts";
import { findUpload, type UploadedFile } from "../containers/uploads.ts";
import { findConversation } from "../conversations.ts";
import { ApiError } from "../errors.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { CreateParams, findInterpreterTool, type InterpreterTool } from "./create-params.ts";
import { getContainerIds, getEarlierFiles, getEarlierItems, getInputFiles } from "./context.ts";
import { assertInclude } from "./include.ts";
import { assertInputLength } from "./input-length.ts";
import type { Item } from "./items.ts";
import { findRun } from "./lifecycle.ts";
import { Run } from "./run.ts";

/** Creates a run from the body of a create request, and its container if needed. Throws the API's error for an invalid body. */
export function createRun(state: State, body: unknown): Run {
  const params = validate(CreateParams, body);
  assertInclude(params.include ?? []);
  assertInputLength(params.input);
  const run = new Run(params, state.settings);
  assertInput(run);
  assertPreviousRun(state, run);
  const inputFiles = getInputFiles(state, run.input);
  const tool = findInterpreterTool(params);
  if (tool) run.containerId = resolveContainer(state, run, { tool, inputFiles }).id;
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

/** Throws the API's errors for an unknown `previous_response_id` or `conversation`. */
function assertPreviousRun(state: State, { params, conversationId }: Run): void {
  if (conversationId !== null) findConversation(state.conversations, conversationId);
  const { previous_response_id: id } = params;
  if (!id) return;
  try {
    findRun(state, id);
  } catch {
    throw new ApiError(400, `Previous response with id '${id}' not found.`, {
      param: "previous_response_id",
      code: "previous_response_not_found",
    });
  }
}

interface ContainerRequest {
  tool: InterpreterTool;
  inputFiles: UploadedFile[];
}

/** The container that the tool names, an earlier one if it is still active, or a new one. It gets the files of the tool and of the input. */
function resolveContainer(
  state: State,
  run: Run,
  { tool: { container }, inputFiles }: ContainerRequest,
): Container {
  const { containers, uploads } = state;
  if (typeof container === "string") {
    const named = containers.use(container);
    named.addUploads(inputFiles);
    return named;
  }
  const toolFiles = (container.file_ids ?? []).map((id) => findUpload(uploads, id));
  const files = [...toolFiles, ...inputFiles];
  const earlierItems = getEarlierItems(state, run);
  const earlierId = findEarlierContainerId(state, run, earlierItems);
  if (earlierId !== null && containers.isActive(earlierId)) {
    const reused = containers.use(earlierId);
    reused.addUploads(files);
    return reused;
  }
  const options = {
    name: "auto",
    memoryLimit: container.memory_limit ?? undefined,
    networkPolicy: container.network_policy ?? undefined,
  };
  return containers.create(options, [...getEarlierFiles(state, earlierItems), ...files]);
}

/** The container of the last earlier call: of one in the input, of the previous response, or of the conversation. */
function findEarlierContainerId(state: State, run: Run, earlierItems: Item[]): string | null {
  const given = getContainerIds(state, run.input).at(-1);
  const previous = state.runs.get(run.params.previous_response_id ?? "")?.containerId;
  return given ?? previous ?? getContainerIds(state, earlierItems).at(-1) ?? null;
}
