import type { Tone } from "./words.ts";

/** A word in a coloured pill. */
export function Chip(props: { tone: Tone; children: string }) {
  return <span class={`chip ${props.tone}`}>{props.children.replaceAll("_", " ")}</span>;
}
