// Python with syntax colours, made on the server by the parser that also analyses the code. Every token is text, so none can become markup.
import { classHighlighter, highlightCode } from "@lezer/highlight";
import { parser } from "@lezer/python";
import type { Child } from "hono/jsx";
import { EscapedText } from "./safe-text.tsx";

/** Python code with syntax colours. */
export function PythonCode(props: { code: string; label: string; id: string }) {
  const { label } = props;
  // The parser's tokens would tear a CRLF line end apart.
  const code = props.code.replaceAll("\r\n", "\n");
  const tokens: Child[] = [];
  highlightCode(
    code,
    parser.parse(code),
    classHighlighter,
    (text, classNames) => tokens.push(<Token text={text} classNames={classNames} />),
    () => tokens.push("\n"),
  );
  return (
    <pre id={props.id} tabindex={0} role="group" aria-label={label}>
      <code>{tokens}</code>
    </pre>
  );
}

function Token(props: { text: string; classNames: string }) {
  if (props.classNames === "") return <EscapedText text={props.text} />;
  return (
    <span class={props.classNames}>
      <EscapedText text={props.text} />
    </span>
  );
}
