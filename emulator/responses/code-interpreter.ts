import type { Container } from "../containers/containers.ts";
import type { CallError } from "../interpreter/messages.ts";
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
    if (result.error) recordCallError(state, run, call.id, result.error);
    // Like the real API: a call that raised has no outputs, not even earlier prints.
    const executedCall = { ...call, outputs: result.error ? [] : result.outputs };
    run.executedCalls.push(executedCall);
    return executedCall;
  };
  await emitItem(run, call, { ...emission, takes, work });
  return writtenPaths;
}

/** Keeps the error for `/_emulator`, and logs its last line for who runs the emulator. The API says nothing of it. */
function recordCallError({ log }: State, run: Run, callId: string, error: CallError): void {
  run.callErrors.set(callId, error);
  log(`${run.id}: ${error.message}`);
}

/** The run's container. */
export function useContainer({ containers }: State, { containerId }: Run): Container {
  return containers.use(containerId ?? "");
}
