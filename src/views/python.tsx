// Python in colours, made on the server. The highlighter escapes what it is given.
import { raw } from "hono/html";
import hljs from "highlight.js/lib/core";
import python from "highlight.js/lib/languages/python";
import { visibleHtml } from "./text.tsx";

hljs.registerLanguage("python", python);

/** Code of a call. */
export function Python(props: { code: string; label: string }) {
  const { value } = hljs.highlight(props.code, { language: "python" });
  return (
    <pre class="code" tabindex={0} role="group" aria-label={props.label}>
      <code>{raw(visibleHtml(value))}</code>
    </pre>
  );
}
