// Starts a background response.
import type { Child } from "hono/jsx";
import type { Problem } from "../../errors.ts";
import { EXAMPLE_REQUEST } from "../../openai/client.ts";
import { toCreateParams, type TriggerForm } from "../../api/trigger-form.ts";
import { toCurl } from "../text/curl.ts";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";

const DEFAULT_FORM: TriggerForm = {
  input: EXAMPLE_REQUEST.input,
  model: "",
  memory: "4g",
  control: "",
  replay: "",
  hold: "",
  advanced: "",
};

const MEMORY: readonly [string, string][] = [
  ["1g", "1 GB"],
  ["4g", "4 GB"],
  ["16g", "16 GB"],
  ["64g", "64 GB"],
  ["none", "off: no code interpreter"],
];

type Flag = "control" | "replay" | "hold";

/** The recorder's own flags: what each does and costs. */
const FLAGS: readonly { name: Flag; label: string; hint: string }[] = [
  {
    name: "control",
    label: "Control",
    hint: "Runs the same request a second time with background: false, to prove a loss. Costs as much again.",
  },
  {
    name: "replay",
    label: "Replay",
    hint: "Has OpenAI keep the run's events, so that outputs can be recovered from them. Costs nothing more.",
  },
  {
    name: "hold",
    label: "Hold",
    hint: "Runs it in the foreground, which returns outputs, and holds the connection until its end; the id comes at once all the same. Costs nothing more, but a deploy breaks the connection, and may end the run. Goes with neither control nor replay.",
  },
];

/** Which field a parameter of OpenAI's is typed in; the first that fits. */
const PARAM_FIELDS: readonly [keyof TriggerForm, RegExp][] = [
  ["model", /^model\b/],
  ["input", /^input\b/],
  ["memory", /container|memory_limit/],
  ["advanced", /./],
];

/** What an error about a flag begins with. */
const FLAG_ERRORS: Record<Flag, RegExp> = {
  control: /^(?:With )?control\b/,
  replay: /^(?:With )?replay\b/,
  hold: /^(?:With )?hold\b/,
};

type Props = { url: string; form?: TriggerForm; problem?: Problem };

/** The trigger's form; after a refusal with what was typed, and what is wrong with it. */
export function TriggerPage(props: Props) {
  const { url, problem, form = DEFAULT_FORM } = props;
  const where = problem === undefined ? null : findField(problem);
  const wrong = (field: keyof TriggerForm) => (where === field ? problem?.message : undefined);
  return (
    <Layout title="Start a response" here="trigger" script="trigger">
      <h1>Start a background response</h1>
      {problem === undefined || where !== null ? null : <ProblemAlert problem={problem} />}
      <div class="columns">
        <form class="card ask" id="ask" method="post" action="/trigger">
          <InputField form={form} wrong={wrong("input")} />
          <ModelField form={form} wrong={wrong("model")} />
          <MemoryField form={form} wrong={wrong("memory")} />
          <FlagFields form={form} wrong={wrong} />
          <AdvancedField form={form} wrong={wrong("advanced")} />
          <button class="main">Start</button>
        </form>
        <CurlCommand url={url} form={form} broken={where === "advanced"} />
      </div>
    </Layout>
  );
}

function ProblemAlert(props: { problem: Problem }) {
  const { message, requestId, code, id } = props.problem;
  return (
    <div class="card trouble" role="alert">
      <strong>
        <code>
          <IsolatedText text={code} />
        </code>
      </strong>{" "}
      <IsolatedText text={message} />
      {requestId === undefined ? null : (
        <span class="faint">
          {" "}
          OpenAI's request id: <code>{requestId}</code>
        </span>
      )}
      {id === undefined ? null : <a href={`/results/${id}`}>The run's page</a>}
    </div>
  );
}

type FieldProps = { form: TriggerForm; wrong: string | undefined };

function FormField(props: {
  name: keyof TriggerForm;
  label: string;
  hint: string;
  wrong: string | undefined;
  children: Child;
}) {
  const { name, wrong } = props;
  return (
    <div class="field">
      <label for={name}>{props.label}</label>
      {props.children}
      <FieldError name={name} text={wrong} />
      <p class="hint" id={`${name}-hint`}>
        {props.hint}
      </p>
    </div>
  );
}

function FieldError(props: { name: keyof TriggerForm; text: string | undefined }) {
  if (props.text === undefined) return null;
  return (
    <p class="wrong" id={`${props.name}-wrong`} role="alert">
      <IsolatedText text={props.text} />
    </p>
  );
}

function describedBy(name: keyof TriggerForm, wrong: string | undefined) {
  if (wrong === undefined) return { "aria-describedby": `${name}-hint` };
  return { "aria-describedby": `${name}-wrong ${name}-hint`, "aria-invalid": "true" };
}

function InputField({ form, wrong }: FieldProps) {
  const hint = "What the model is asked. Billed by its tokens, and by those of the answer.";
  return (
    <FormField name="input" label="Input" hint={hint} wrong={wrong}>
      <textarea id="input" name="input" rows={6} required {...describedBy("input", wrong)}>
        {form.input}
      </textarea>
    </FormField>
  );
}

function ModelField({ form, wrong }: FieldProps) {
  const hint = "Left empty: the recorder's OPENAI_MODEL.";
  return (
    <FormField name="model" label="Model" hint={hint} wrong={wrong}>
      <input
        id="model"
        name="model"
        value={form.model}
        placeholder="the recorder's default"
        spellcheck={false}
        {...describedBy("model", wrong)}
      />
    </FormField>
  );
}

function MemoryField({ form, wrong }: FieldProps) {
  const hint = "The container's memory. OpenAI bills each container; larger ones cost more.";
  return (
    <FormField name="memory" label="Code interpreter" hint={hint} wrong={wrong}>
      <select id="memory" name="memory" {...describedBy("memory", wrong)}>
        {MEMORY.map(([value, label]) => (
          <option value={value} selected={value === form.memory}>
            {label}
          </option>
        ))}
      </select>
    </FormField>
  );
}

function FlagFields(props: { form: TriggerForm; wrong: (name: Flag) => string | undefined }) {
  const { form, wrong } = props;
  return (
    <fieldset>
      <legend>Flags</legend>
      {FLAGS.map(({ name, label, hint }) => (
        <div class="flag">
          <input
            id={name}
            name={name}
            type="checkbox"
            checked={form[name] !== ""}
            {...describedBy(name, wrong(name))}
          />
          <label for={name}>{label}</label>
          <p class="hint" id={`${name}-hint`}>
            {hint}
          </p>
          <FieldError name={name} text={wrong(name)} />
        </div>
      ))}
    </fieldset>
  );
}

function AdvancedField({ form, wrong }: FieldProps) {
  const hint =
    "Any other create parameters, as one JSON object; they win over the fields above. store is always true, and so is background but with hold; outputs are always asked for.";
  return (
    <FormField name="advanced" label="Advanced, JSON" hint={hint} wrong={wrong}>
      <textarea
        id="advanced"
        name="advanced"
        rows={4}
        spellcheck={false}
        placeholder={'{ "reasoning": { "effort": "low" } }'}
        {...describedBy("advanced", wrong)}
      >
        {form.advanced}
      </textarea>
    </FormField>
  );
}

function CurlCommand(props: { url: string; form: TriggerForm; broken: boolean }) {
  const { url, form, broken } = props;
  const body = toCreateParams(broken ? { ...form, advanced: "" } : form);
  return (
    <section class="card" aria-labelledby="same">
      <div class="row">
        <h2 id="same">The same as a command</h2>
        <button type="button" data-copy="curl" hidden>
          Copy
        </button>
      </div>
      <pre class="printed wrap" tabindex={0} role="group" aria-label="The request as curl">
        <code id="curl" data-url={`${url}/trigger`}>
          {toCurl(`${url}/trigger`, "ACCESS_TOKEN", body)}
        </code>
      </pre>
      <p class="hint">
        It answers with the run's id and the URL of its page. No secret stands in it: the shell puts
        in <code>$ACCESS_TOKEN</code>.
      </p>
    </section>
  );
}

function findField(problem: Problem): keyof TriggerForm | null {
  const flag = FLAGS.find(({ name }) => FLAG_ERRORS[name].test(problem.message));
  if (flag !== undefined) return flag.name;
  if (problem.code === "bad_request") return "advanced";
  const { param } = problem;
  if (param === undefined || problem.status >= 429) return null;
  return PARAM_FIELDS.find(([, pattern]) => pattern.test(param))?.[0] ?? null;
}
