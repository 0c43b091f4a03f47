// Python in colours, made on the server with the parser that judges it. The parts are text: nothing in them can become markup.
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { parser } from "@lezer/python";
import type { Child } from "hono/jsx";
import { EscapedText } from "./safe-text.tsx";

/** Code of a call. */
export function PythonCode(props: { code: string; label: string }) {
  const { code, label } = props;
  const parts: Child[] = [];
  highlightCode(
    code,
    parser.parse(code),
    classHighlighter,
    (text, names) => parts.push(<Token text={text} names={names} />),
    () => parts.push("\n"),
  );
  return (
    <pre class="code" tabindex={0} role="group" aria-label={label}>
      <code>{parts}</code>
    </pre>
  );
}

function Token(props: { text: string; names: string }) {
  if (props.names === "") return <EscapedText text={props.text} />;
  return (
    <span class={props.names}>
      <EscapedText text={props.text} />
    </span>
  );
}
