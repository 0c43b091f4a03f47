import type { FileEntry } from "../interpreter/messages.ts";
import { newId } from "../lib/ids.ts";
import type { ShellOutput, ShellStep } from "../scripts/schema.ts";
import type { State } from "../state.ts";
import { useContainer } from "./code-interpreter.ts";
import { type Emission, emitItem } from "./emit-item.ts";
import { newItemId } from "./item-kinds.ts";
import type { Item } from "./items.ts";
import type { Run } from "./run.ts";

const DATA_FOLDER = "/mnt/data";
const NO_OUTPUT: ShellOutput = { stdout: "", stderr: "", exit_code: 0 };

/** Emits a hosted shell call and its output, and writes its files. No command is executed. Returns the paths of the files. */
export async function emitShellCall(
  state: State,
  run: Run,
  { shell: { commands, outputs, files }, takes }: ShellStep,
  emission: Emission,
): Promise<string[]> {
  const container = useContainer(state, run);
  const call_id = newId("call");
  const call: Item = {
    id: newItemId("shell_call"),
    type: "shell_call",
    status: "completed",
    call_id,
    action: { commands, timeout_ms: null, max_output_length: null },
    environment: { type: "container_reference", container_id: container.id },
  };
  const output: Item = {
    id: newItemId("shell_call_output"),
    type: "shell_call_output",
    status: "completed",
    call_id,
    output: commands.map((_, index) => toOutput(outputs[index] ?? NO_OUTPUT)),
    max_output_length: null,
  };
  const written = Object.entries(files).map(([name, text]): FileEntry => {
    const path = name.startsWith("/") ? name : `${DATA_FOLDER}/${name}`;
    return [path, new TextEncoder().encode(text)];
  });
  const work = async () => {
    container.writeFiles(written);
    return call;
  };
  await emitItem(run, call, { ...emission, takes, work });
  await emitItem(run, output, emission);
  return written.map(([path]) => path);
}

function toOutput({ stdout, stderr, exit_code }: ShellOutput) {
  const outcome = exit_code === null ? { type: "timeout" } : { type: "exit", exit_code };
  return { stdout, stderr, outcome };
}
