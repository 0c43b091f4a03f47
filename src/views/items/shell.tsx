// Commands of hosted and local shells, and what they printed.
import * as z from "zod";
import { Chip } from "../components/chip.tsx";
import { CodeBlock } from "../components/code-block.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { Printed } from "../components/printed-text.tsx";
import { anything, count, listOf, parseFields, text, texts } from "./fields.ts";
import { Data } from "./mcp.tsx";
import { toOutputsUrl, toResponseUrl, type PartProps } from "./part.ts";

const Action = z.looseObject({ commands: texts, command: texts, working_directory: text });
const Shell = z.looseObject({
  action: anything,
  environment: z.looseObject({ type: text }).nullable().catch(null),
});
const Outcome = z.looseObject({ type: text, exit_code: count });
const Output = z.looseObject({ output: anything });
const Printout = z.looseObject({
  stdout: text,
  stderr: text,
  outcome: Outcome.nullable().catch(null),
});

/** Whether OpenAI runs the commands of a shell call. */
export function isHosted({ value }: PartProps["item"]): boolean {
  return parseFields(Shell, value).environment?.type === "container_reference";
}

/** The commands. */
export function ShellRequest(props: PartProps) {
  const action = parseFields(Action, parseFields(Shell, props.item.value).action);
  const commands = [...action.commands, action.command.join(" ")].filter((line) => line !== "");
  const { page } = props;
  return (
    <>
      <CodeBlock
        text={commands.join("\n")}
        title="Commands"
        id={`${props.name}-commands`}
        maxBytes={page.maxBytes}
        wholeUrl={toResponseUrl(page)}
      />
      {action.working_directory === null ? null : (
        <p class="note">
          In <IsolatedText text={action.working_directory} />
        </p>
      )}
    </>
  );
}

/** What each command printed. */
export function ShellResult(props: PartProps) {
  if (props.output === null) {
    return isHosted(props.item) ? <p class="placeholder">No output came of it.</p> : null;
  }
  const { output } = parseFields(Output, props.output.value);
  if (!Array.isArray(output)) return <Data {...props} title="Output" value={output} />;
  const printouts = parseFields(z.looseObject({ list: listOf(Printout) }), { list: output }).list;
  return (
    <>
      {printouts.map((printout, index) => (
        <PrintoutOf
          {...props}
          printout={printout}
          label={printouts.length === 1 ? "" : `Command ${index + 1}, `}
        />
      ))}
    </>
  );
}

function PrintoutOf(props: PartProps & { printout: z.infer<typeof Printout>; label: string }) {
  const { printout, label } = props;
  return (
    <>
      {(
        [
          ["standard output", printout.stdout],
          ["standard error", printout.stderr],
        ] as const
      ).map(([title, value]) =>
        value === null || value === "" ? null : (
          <Printed
            printed={{ text: value, cut: props.output?.cuts.get(value) ?? null }}
            other={null}
            title={toTitle(label, title)}
            id={`${props.name}-${toTitle(label, title).replaceAll(/\W+/g, "-")}`}
            maxBytes={props.page.maxBytes}
            url={props.number === null ? toResponseUrl(props.page) : toOutputsUrl(props)}
          />
        ),
      )}
      <Exit outcome={printout.outcome} label={label} />
    </>
  );
}

function Exit({ outcome, label }: { outcome: z.infer<typeof Outcome> | null; label: string }) {
  if (outcome === null) return null;
  const hasFailed = outcome.exit_code !== 0;
  const words =
    outcome.type === "timeout" ? "timed out" : `exit code ${outcome.exit_code ?? "unknown"}`;
  return (
    <p class="row exit">
      <span class="muted">{toTitle(label, "end")}</span>
      <Chip tone={hasFailed ? "warn" : "neutral"}>{words}</Chip>
    </p>
  );
}

function toTitle(label: string, words: string): string {
  return label === "" ? `${words.charAt(0).toUpperCase()}${words.slice(1)}` : label + words;
}
