import type { State } from "../state.ts";
import type { CodeStep } from "../scripts/schema.ts";
import { type Emission, emitItem } from "./emit-item.ts";
import { newItemId } from "./item-kinds.ts";
import type { CodeInterpreterCall } from "./items.ts";
import type { Run } from "./run.ts";

/** Runs the Python of a step in the run's container, as one call. Returns the paths of the files that it wrote. */
export async function executeCall(
  state: State,
  run: Run,
  { code, takes }: CodeStep,
  emission: Emission,
): Promise<string[]> {
  const workspace = useContainer(state, run);
  const call: CodeInterpreterCall = {
    id: newItemId("code_interpreter_call"),
    type: "code_interpreter_call",
    status: "completed",
    code: state.settings.codeLineEnds === "crlf" ? code.replaceAll(/\r?\n/g, "\r\n") : code,
    container_id: workspace.id,
    outputs: [],
  };
  const timeoutSeconds = state.settings.executionSeconds;
  const { signal } = run.abortController;
  const writtenPaths: string[] = [];
  const work = async () => {
    const result = await state.pool.run({ workspace, code, timeoutSeconds, signal });
    state.containers.use(workspace.id);
    writtenPaths.push(...result.changed.map(([path]) => path));
    if (result.raised) run.raisedCallIds.add(call.id);
    // Like the real API: a call that raised has no outputs, not even earlier prints.
    const executedCall = { ...call, outputs: result.raised ? [] : result.outputs };
    run.executedCalls.push(executedCall);
    return executedCall;
  };
  await emitItem(run, call, { ...emission, takes, work });
  return writtenPaths;
}

/** The run's container; a script that needs one gets a new one if the request has no tool for it. */
export function useContainer({ containers }: State, run: Run) {
  run.containerId ??= containers.create({ name: "auto" }).id;
  return containers.use(run.containerId);
}
