// What code or a command printed: its first and its last lines, with the rest folded.
import { toLineExcerpt, type LineGroup, type PrintedText } from "../text/printed/line-excerpt.ts";
import { findDifference, type LineRange } from "../text/printed/line-difference.ts";
import { toTerminalText } from "../text/printed/terminal-text.ts";
import { BlockBar, CopyButton, CutNote } from "./code-block.tsx";
import { IsolatedText } from "./safe-text.tsx";

/** A text with a longer line wraps; others scroll sideways. */
const MAX_UNWRAPPED_LENGTH = 300;

type Props = {
  printed: PrintedText;
  /** What the same call printed elsewhere: lines that differ are highlighted. */
  other: string | null;
  title: string;
  /** The id of the element with the text. */
  id: string;
  maxBytes: number;
  /** Where the text is as it was. */
  url: string;
};

/** Printed text as a terminal would show it. */
export function Printed(props: Props) {
  const { printed, title, url } = props;
  const text = toTerminalText(printed.text);
  const cut =
    printed.cut === null ? null : { ...printed.cut, end: toTerminalText(printed.cut.end) };
  const excerpt = toLineExcerpt({ text, cut }, props.maxBytes);
  const difference =
    props.other === null ? null : findDifference(text, toTerminalText(props.other));
  const isRaw = text === printed.text.replaceAll("\r\n", "\n");
  return (
    <>
      <BlockBar title={title}>
        {isRaw ? null : <a href={url}>Raw text</a>}
        <CopyButton {...(excerpt.isCut ? { url } : { id: props.id })} what={title} />
      </BlockBar>
      <div class="printed" id={props.id}>
        {excerpt.groups.map((group, index) => (
          <>
            {index === 1 && excerpt.isCut ? <p class="gap">Not shown here</p> : null}
            <Group group={group} title={title} difference={difference} />
          </>
        ))}
      </div>
      {excerpt.isCut ? <CutNote size={excerpt.size} url={url} /> : null}
    </>
  );
}

type GroupProps = { group: LineGroup; title: string; difference: LineRange | null };

function Group(props: GroupProps) {
  const { group } = props;
  if (!group.isFolded) return <Lines {...props} />;
  return (
    <details>
      <summary>{group.lines.length} more lines</summary>
      <Lines {...props} />
    </details>
  );
}

function Lines({ group: { lines, from }, title, difference }: GroupProps) {
  const wraps = lines.some((line) => line.length > MAX_UNWRAPPED_LENGTH);
  const start = clamp((difference?.from ?? 0) - from, lines.length);
  const end = clamp((difference?.to ?? 0) - from, lines.length);
  const parts = [lines.slice(0, start), lines.slice(start, end), lines.slice(end)];
  const [before = "", marked = "", after = ""] = parts.map((part) => part.join("\n"));
  return (
    <pre
      class={wraps ? "preformatted wrap" : "preformatted"}
      tabindex={0}
      role="group"
      aria-label={title}
    >
      <IsolatedText text={start > 0 ? `${before}\n` : ""} />
      {end > start ? (
        <mark>
          <IsolatedText text={marked} />
        </mark>
      ) : null}
      <IsolatedText text={end > start && end < lines.length ? `\n${after}` : after} />
    </pre>
  );
}

function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}
