import type { State } from "../state.ts";
import type { TextStep } from "../scripts/schema.ts";
import { newItemId } from "./item-kinds.ts";
import type { Item } from "./items.ts";
import type { Run } from "./run.ts";
import { isCited } from "./scripted-model.ts";

interface OutputText {
  type: "output_text";
  annotations: unknown[];
  logprobs: unknown[];
  text: string;
}

/** Creates the assistant's message. It cites the files that the run wrote if its step says so; a cut one has half of the text and no citations. */
export function createMessage(
  state: State,
  run: Run,
  step: TextStep,
  writtenPaths: ReadonlySet<string>,
): Item {
  const { text, is_halved = false } = step;
  const part: OutputText = {
    type: "output_text",
    annotations: [...(step.annotations ?? [])],
    logprobs: step.logprobs ?? [],
    text: is_halved ? text.slice(0, text.length / 2) : text,
  };
  const citedPaths = step.cites_files && !is_halved ? writtenPaths : [];
  for (const path of citedPaths) appendCitation(state, run, path, part);
  const phase = step.phase ?? (state.settings.messagePhase ? "final_answer" : undefined);
  return {
    id: newItemId("message"),
    type: "message",
    status: is_halved ? "incomplete" : "completed",
    content: [part],
    ...(phase === undefined ? {} : { phase }),
    role: "assistant",
  };
}

function appendCitation(state: State, run: Run, path: string, part: OutputText): void {
  const container = state.containers.use(run.containerId ?? "");
  const file = container.filesByPath.get(path);
  const filename = path.slice(path.lastIndexOf("/") + 1);
  if (!file || !isCited(filename)) return;
  const start_index = part.text.length + 1;
  part.text += `\n[${filename}](sandbox:${path})`;
  part.annotations.push({
    type: "container_file_citation",
    container_id: container.id,
    file_id: file.id,
    filename,
    start_index,
    end_index: part.text.length,
  });
}
