// What was asked of MCP servers, and what came.
import * as z from "zod";
import { CodeBlock } from "../components/code-block.tsx";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { anything, formatJson, listOf, parseFields, text } from "./fields.ts";
import { toResponseUrl, toTotalBytes, type PartProps } from "./part.ts";

/** Of a tool's description. */
const MAX_DESCRIPTION_BYTES = 300;

const McpItem = z.looseObject({
  server_label: text,
  name: text,
  arguments: text,
  output: text,
  error: anything,
  tools: listOf(z.looseObject({ name: text, description: text })),
});

/** The tool and its server. */
export function toMcpName({ value }: PartProps["item"]): string {
  const { server_label: server, name } = parseFields(McpItem, value);
  return [server, name].filter((part) => part !== null).join(" / ");
}

/** The arguments of a call. */
export function McpRequest(props: PartProps) {
  return (
    <Data {...props} title="Arguments" value={parseFields(McpItem, props.item.value).arguments} />
  );
}

/** The output of a call, or its error. */
export function McpResult(props: PartProps) {
  const { output, error } = parseFields(McpItem, props.item.value);
  if (output === null && (error === null || error === undefined)) {
    return <p class="placeholder">No output, and no error.</p>;
  }
  return (
    <>
      <Data {...props} title="Error" value={error} />
      <Data {...props} title="Output" value={output} />
    </>
  );
}

/** The tools of a server. */
export function McpTools(props: PartProps) {
  const { tools, error } = parseFields(McpItem, props.item.value);
  return (
    <>
      <Data {...props} title="Error" value={error} />
      <details>
        <summary>
          {tools.length} {tools.length === 1 ? "tool" : "tools"}
        </summary>
        <ul class="tools">
          {tools.map((tool) => (
            <li>
              <code>
                <IsolatedText text={tool.name ?? ""} />
              </code>{" "}
              <Description text={tool.description ?? ""} url={toResponseUrl(props.page)} />
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function Description(props: { text: string; url: string }) {
  const excerpt = toExcerpt(props.text, MAX_DESCRIPTION_BYTES);
  return (
    <span class="muted">
      <IsolatedText text={excerpt.text} />
      {excerpt.isTruncated ? <a href={props.url}> … all of it</a> : null}
    </span>
  );
}

/** JSON or a text, in a block of its own. Nothing for what is not there. */
export function Data(props: PartProps & { title: string; value: unknown }) {
  const { title, value, name, page } = props;
  const totalBytes = typeof value === "string" ? toTotalBytes(props.item, value) : null;
  if (value === null || value === undefined || value === "") return null;
  return (
    <CodeBlock
      text={formatJson(value)}
      title={title}
      id={`${name}-${title.toLowerCase().replaceAll(" ", "-")}`}
      maxBytes={page.maxBytes}
      totalBytes={totalBytes}
      wholeUrl={toResponseUrl(page)}
    />
  );
}
