// Calls that the caller's program carries out: functions, custom tools, a computer, patches. Their results are not in the response.
import * as z from "zod";
import { anything, parseFields, text } from "./fields.ts";
import { Data } from "./mcp.tsx";
import type { PartProps } from "./part.ts";

const ToolCall = z.looseObject({
  name: text,
  namespace: text,
  arguments: anything,
  input: text,
  action: anything,
  actions: anything,
  pending_safety_checks: z.array(z.unknown()).catch([]),
  operation: z.looseObject({ type: text, path: text, diff: text }).nullable().catch(null),
  output: anything,
  result: anything,
});

/** The tool that is called. */
export function toToolName({ value }: PartProps["item"]): string {
  const { namespace, name } = parseFields(ToolCall, value);
  return [namespace, name].filter((part) => part !== null).join(".");
}

/** The change of a patch, in words. */
export function toPatchName({ value }: PartProps["item"]): string {
  const { operation } = parseFields(ToolCall, value);
  return `${(operation?.type ?? "change").replaceAll("_", " ")}: ${operation?.path ?? "a file"}`;
}

/** What is to be done. */
export function ToolRequest(props: PartProps) {
  const fields = parseFields(ToolCall, props.item.value);
  const checks = fields.pending_safety_checks;
  return (
    <>
      <Data {...props} title="Arguments" value={fields.arguments} />
      <Data {...props} title="Input" value={fields.input} />
      <Data {...props} title="Actions" value={fields.actions ?? fields.action} />
      <Data {...props} title="Safety checks" value={checks.length === 0 ? null : checks} />
      <Data {...props} title="Patch" value={fields.operation?.diff} />
    </>
  );
}

/** What came, where a response has it. */
export function ToolResult(props: PartProps) {
  const { output, result } = parseFields(ToolCall, (props.output ?? props.item).value);
  return <Data {...props} title="Output" value={output ?? result} />;
}
