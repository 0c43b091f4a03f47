import type { Container } from "../containers/containers.ts";
import { findUpload } from "../containers/uploads.ts";
import { findConversation } from "../conversations.ts";
import { ApiError } from "../errors.ts";
import type { Scripts } from "../scripts/scripts.ts";
import type { State } from "../state.ts";
import { validate } from "../validation.ts";
import {
  CreateParams,
  findInterpreterTool,
  findShellContainer,
  type InterpreterTool,
} from "./create-params.ts";
import { assertDeepParams, assertToolOutputs } from "./deep-checks.ts";
import { assertInclude } from "./include.ts";
import { toDefaultSteps } from "./answer.ts";
import { getLastUserText } from "./input-items.ts";
import { isCodeInterpreterCall, isToolOutput, type Item } from "./items.ts";
import { findRun } from "./lifecycle.ts";
import { Run } from "./run.ts";

/** Creates a run from a create request, with its answer, and its container if needed. Throws the API's error for an invalid body. */
export function createRun(state: State, body: unknown, headers: Record<string, string>): Run {
  const params = validate(CreateParams, body);
  assertInclude(params.include ?? []);
  const isDeep = state.settings.requestChecks === "deep";
  if (isDeep) assertDeepParams(params);
  const run = new Run(params, state.settings);
  assertModel(run);
  assertInput(run);
  const context = [...findEarlierItems(state, run), ...run.input];
  if (isDeep) assertToolOutputs(context);
  const previousContainerId = findPreviousContainerId(state, run);
  const tool = findInterpreterTool(params) ?? findShellContainer(params);
  if (tool) run.containerId = resolveContainer(state, tool, previousContainerId).id;
  // After all checks: a rejected request uses up no script.
  run.script = takeScript(state.scripts, run, { headers, context });
  run.steps = run.script?.then ?? toDefaultSteps(run);
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

/** The items of the earlier responses or of the conversation, oldest first. */
function findEarlierItems(
  { runs, conversations }: Pick<State, "runs" | "conversations">,
  { params, conversationId }: Run,
): Item[] {
  const conversation = conversations.get(conversationId ?? "");
  if (conversation) return conversation.entries.map(({ item }) => item);
  const previous = runs.get(params.previous_response_id ?? "");
  if (!previous) return [];
  return [
    ...findEarlierItems({ runs, conversations }, previous),
    ...previous.input,
    ...previous.output,
  ];
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
  { container }: Pick<InterpreterTool, "container">,
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
