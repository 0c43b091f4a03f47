/** What is settled before a response is created: is the request sound, and what does it refer to? */
import { ApiError, notFound } from "../errors.ts";
import type { Container } from "../containers/containers.ts";
import { isCall } from "./items.ts";
import {
  validate,
  parseInclude,
  CreateParams,
  type InterpreterTool,
  findInterpreterTool,
} from "./create-params.ts";
import { Run } from "./run.ts";
import { findRun } from "./lifecycle.ts";
import type { State, UploadedFile } from "../state.ts";

/** Makes a run of a request's body, or throws what the API would answer. */
export function createRun(state: State, body: unknown): Run {
  const request = validate(CreateParams, body);
  parseInclude(request.include ?? []);
  const run = new Run(request, state.settings);
  assertInput(run);
  const earlier = findPreviousContainer(state, run);
  const tool = findInterpreterTool(request);
  if (tool) run.containerId = resolveContainer(state, tool, earlier).id;
  return run;
}

function assertInput({ params: request, conversationId: conversation }: Run): void {
  if (conversation !== null && request.previous_response_id) {
    const message =
      "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Send one of them.";
    throw new ApiError(400, message, { code: "mutually_exclusive_parameters" });
  }
  const { input, prompt, previous_response_id } = request;
  if (input ?? prompt ?? previous_response_id ?? conversation) return;
  const message =
    "Missing required parameter: one of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided.";
  throw new ApiError(400, message, { param: "input", code: "missing_required_parameter" });
}

/** The container that what came before has used, if there is one. */
function findPreviousContainer(
  state: State,
  { params: request, conversationId: id }: Run,
): string | null {
  if (request.previous_response_id)
    return findPreviousRun(state, request.previous_response_id).containerId;
  if (id === null) return null;
  const conversation = state.conversations.get(id);
  if (!conversation) throw notFound("Conversation", id);
  const calls = conversation.entries.map(({ item }) => item).filter(isCall);
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

function resolveContainer(
  state: State,
  { container }: InterpreterTool,
  earlier: string | null,
): Container {
  if (typeof container === "string") return state.containers.use(container);
  if (earlier !== null && state.containers.isActive(earlier)) return state.containers.use(earlier);
  const files = (container.file_ids ?? []).map((id) => findUpload(state, id));
  const made = state.containers.create({
    name: "auto",
    memoryLimit: container.memory_limit ?? undefined,
    networkPolicy: container.network_policy ?? undefined,
  });
  for (const file of files) made.upload(file.filename, file.bytes);
  return made;
}

/** An uploaded file; throws the API's 404 for any other. */
export function findUpload(state: State, id: string): UploadedFile {
  const found = state.uploads.get(id);
  if (!found) throw new ApiError(404, `No such File object: ${id}`, { param: "id" });
  return found;
}
