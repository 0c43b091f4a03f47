import { toWords, type Tone } from "../text/labels.ts";

/** SVG paths in a view box of 24 by 24. */
const ICON_PATHS: Record<Tone, string> = {
  good: "M7.5 12.5l3 3 6-6.5",
  warn: "M12 7v6M12 16.5v.1",
  bad: "M8.5 8.5l7 7M15.5 8.5l-7 7",
  neutral: "M8 12h8",
  busy: "M12 7v5l3.5 2",
};

/** A word in a coloured pill. */
export function Chip(props: { tone: Tone; children: string }) {
  return <span class={`chip ${props.tone}`}>{toWords(props.children)}</span>;
}

/** An icon next to a headline. It is decorative: the headline says the same. */
export function StatusIcon(props: { tone: Tone }) {
  return (
    <svg
      class={`status-icon ${props.tone}`}
      viewBox="0 0 24 24"
      width="30"
      height="30"
      aria-hidden="true"
    >
      <circle cx="12" cy="12" r="10" />
      <path d={ICON_PATHS[props.tone]} />
    </svg>
  );
}
