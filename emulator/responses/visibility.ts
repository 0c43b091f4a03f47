/** Decides which outputs a client sees. */
import { type CallOutput, isCodeInterpreterCall, type Item } from "./items.ts";

/** Maps an item to what a client sees of it: the outputs of a call may be hidden. */
export type View = (item: Item) => Item;

/** The view that hides nothing. */
export const FULL_VIEW: View = (item) => item;

export interface Visibility {
  /** Whether the client asked for outputs with `include`. */
  includesOutputs: boolean;
  background: boolean;
  /** For background runs: `present`, `empty`, or `late:SECONDS` after the run's end. */
  outputsRule: string;
  /** When the run ended, in milliseconds; null before. */
  endedAt: number | null;
}

export function createView(visibility: Visibility): View {
  return (item) => {
    if (!isCodeInterpreterCall(item)) return item;
    return { ...item, outputs: getVisibleOutputs(item.outputs, visibility) };
  };
}

function getVisibleOutputs(
  outputs: CallOutput[] | null,
  { includesOutputs, background, outputsRule, endedAt }: Visibility,
): CallOutput[] | null {
  if (!includesOutputs) return null;
  if (!background || outputsRule === "present") return outputs;
  const [rule, delaySeconds] = outputsRule.split(":");
  if (rule !== "late" || endedAt === null) return [];
  return Date.now() >= endedAt + Number(delaySeconds) * 1000 ? outputs : [];
}
