import { newId } from "../lib/ids.ts";
import type { State } from "../state.ts";
import type { OutputMessage, OutputText } from "./items.ts";
import type { Run } from "./run.ts";
import { isCited } from "./scripted-model.ts";

interface MessageParams {
  text: string;
  /** The paths of the files that the run's calls wrote. */
  writtenPaths: Iterable<string>;
  /** An incomplete message has half of the text and no citations. */
  isComplete: boolean;
}

/** Creates the assistant's message, which cites the files that the run wrote. */
export function createMessage(
  state: State,
  run: Run,
  { text, writtenPaths, isComplete }: MessageParams,
): OutputMessage {
  const part: OutputText = {
    type: "output_text",
    annotations: [],
    logprobs: [],
    text: isComplete ? text : text.slice(0, text.length / 2),
  };
  const citedPaths = isComplete ? writtenPaths : [];
  for (const path of citedPaths) appendCitation(state, run, path, part);
  const status = isComplete ? "completed" : "incomplete";
  return { id: newId("msg"), type: "message", status, content: [part], role: "assistant" };
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
