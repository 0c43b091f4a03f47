import type { Container } from "../containers/containers.ts";
import { findUpload, type UploadedFile } from "../containers/uploads.ts";
import { findConversation } from "../conversations.ts";
import { ApiError } from "../errors.ts";
import type { Step } from "../scripts/schema.ts";
import type { Scripts } from "../scripts/scripts.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import { toDefaultSteps } from "./answer.ts";
import { getContainerIds, getEarlierFiles, getEarlierItems, getInputFiles } from "./context.ts";
import {
  CreateParams,
  findInterpreterTool,
  findShellContainer,
  type InterpreterTool,
} from "./create-params.ts";
import { assertDeepParams, assertToolOutputs } from "./deep-checks.ts";
import { assertInclude } from "./include.ts";
import { getLastUserText } from "./input-items.ts";
import { assertInputLength } from "./input-length.ts";
import { isToolOutput, type Item } from "./items.ts";
import { findRun } from "./lifecycle.ts";
import { Run } from "./run.ts";

/** Creates a run from a create request, with its answer, and its container if needed. Throws the API's error for an invalid body. */
export function createRun(state: State, body: unknown, headers: Record<string, string>): Run {
  const params = validate(CreateParams, body);
  assertInclude(params.include ?? [], state.settings.createRefusedInclude);
  assertInputLength(params.input);
  const isDeep = state.settings.requestChecks === "deep";
  if (isDeep) assertDeepParams(params);
  const run = new Run(params, state.settings);
  assertModel(run);
  assertInput(run);
  assertPreviousRun(state, run);
  const context = [...getEarlierItems(state, run), ...run.input];
  if (isDeep) assertToolOutputs(context);
  const inputFiles = getInputFiles(state, run.input);
  const tool = findInterpreterTool(params) ?? findShellContainer(params);
  if (tool) run.containerId = resolveContainer(state, run, { tool, inputFiles }).id;
  // After all checks: a rejected request uses up no script.
  run.script = takeScript(state.scripts, run, { headers, context });
  run.steps = run.script?.then ?? toDefaultSteps(run);
  if (run.steps.some(needsContainer)) run.containerId ??= createContainer(state).id;
  return run;
}

interface ScriptContext {
  headers: Record<string, string>;
  /** The earlier items and the input. */
  context: Item[];
}

function takeScript(scripts: Scripts, run: Run, { headers, context }: ScriptContext) {
  const { model, metadata, tools } = run.params;
  return scripts.takeMatching({
    input: getLastUserText(run.input),
    model: model ?? "",
    metadata: metadata ?? {},
    toolTypes: (tools ?? []).map(({ type }) => type),
    headers,
    turn: countTurns(context),
  });
}

/** How often the model has got tool outputs: consecutive ones are one turn. */
function countTurns(items: Item[]): number {
  return items.filter((item, index) => isClientOutput(item) && !isClientOutput(items[index - 1]))
    .length;
}

function isClientOutput(item: Item | undefined): boolean {
  return item !== undefined && isToolOutput(item) && item.type !== "shell_call_output";
}

/** Whether a step runs in a container. A script may have one that the request has no tool for. */
function needsContainer(step: Step): boolean {
  return "code" in step || "shell" in step;
}

function createContainer({ containers }: State): Container {
  return containers.create({ name: "auto" });
}

/** A stored prompt has a model of its own. */
function assertModel({ params: { model, prompt } }: Run): void {
  if (model ?? prompt) return;
  const message = "Missing required parameter: 'model'.";
  throw new ApiError(400, message, { param: "model", code: "missing_required_parameter" });
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
  tool: Pick<InterpreterTool, "container">;
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
