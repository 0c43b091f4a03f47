// The form that starts a response.
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
  stream: "",
  hold: "",
  advanced: "",
};

const MEMORY_OPTIONS: readonly [string, string][] = [
  ["1g", "1 GB"],
  ["4g", "4 GB"],
  ["16g", "16 GB"],
  ["64g", "64 GB"],
  ["none", "off: no code interpreter"],
];

type Flag = "control" | "stream" | "hold";

/** The recorder's flags: what each does, and what it costs. */
const FLAGS: readonly { name: Flag; label: string; hint: string }[] = [
  {
    name: "control",
    label: "Control",
    hint: "Runs the same request a second time with background: false, to prove a loss. Doubles the cost. Not for requests that would act twice or share a container.",
  },
  {
    name: "stream",
    label: "Stream",
    hint: "Follows the run's events as they come: every item that is done is kept, and its outputs are taken from the stream. No extra cost at OpenAI; at Cloudflare one object works for as long as the run takes.",
  },
  {
    name: "hold",
    label: "Hold",
    hint: "Sends the request with background: false, which returns outputs, and holds the connection until the run ends. You still get the id immediately. It costs what Stream costs. For runs that are short or can be repeated: a restart by Cloudflare breaks the connection, and OpenAI may end the run. Can't be combined with control or stream.",
  },
];

/** The field for each of OpenAI's parameters. The first match counts. */
const PARAM_FIELDS: readonly [keyof TriggerForm, RegExp][] = [
  ["model", /^model\b/],
  ["input", /^input\b/],
  ["memory", /container|memory_limit/],
  ["advanced", /./],
];

/** How the message of an error about a flag begins. */
const FLAG_ERRORS: Record<Flag, RegExp> = {
  control: /^(?:With )?control\b/,
  stream: /^(?:With )?stream\b/,
  hold: /^(?:With )?hold\b/,
};

type Props = { url: string; form?: TriggerForm; problem?: Problem };

/** The form. After a refusal it keeps what was typed and shows the problem at its field. `url` is the Worker's origin. */
export function TriggerPage(props: Props) {
  const { url, problem, form = DEFAULT_FORM } = props;
  const wrongField = problem === undefined ? null : findField(problem);
  const errorAt = (field: keyof TriggerForm) =>
    wrongField === field ? problem?.message : undefined;
  return (
    <Layout title="Start a response" current="trigger" script="trigger">
      <h1>Start a background response</h1>
      {problem === undefined || wrongField !== null ? null : <ProblemAlert problem={problem} />}
      <div class="columns">
        <form class="card trigger-form" id="trigger-form" method="post" action="/trigger">
          <InputField form={form} error={errorAt("input")} />
          <ModelField form={form} error={errorAt("model")} />
          <MemoryField form={form} error={errorAt("memory")} />
          <FlagFields form={form} errorAt={errorAt} />
          <AdvancedField form={form} error={errorAt("advanced")} />
          <button class="primary">Start</button>
        </form>
        <CurlCommand url={url} form={form} omitsAdvanced={wrongField === "advanced"} />
      </div>
    </Layout>
  );
}

function ProblemAlert(props: { problem: Problem }) {
  const { message, requestId, code, id } = props.problem;
  return (
    <div class="card alert" role="alert">
      <strong>
        <code>
          <IsolatedText text={code} />
        </code>
      </strong>{" "}
      <IsolatedText text={message} />
      {requestId === undefined ? null : (
        <span class="muted">
          {" "}
          OpenAI's request id: <code>{requestId}</code>
        </span>
      )}
      {id === undefined ? null : <a href={`/results/${id}`}>The run's page</a>}
    </div>
  );
}

type FieldProps = { form: TriggerForm; error: string | undefined };

function FormField(props: {
  name: keyof TriggerForm;
  label: string;
  hint: string;
  error: string | undefined;
  children: Child;
}) {
  const { name, error } = props;
  return (
    <div class="field">
      <label for={name}>{props.label}</label>
      {props.children}
      <FieldError name={name} message={error} />
      <p class="hint" id={`${name}-hint`}>
        {props.hint}
      </p>
    </div>
  );
}

function FieldError(props: { name: keyof TriggerForm; message: string | undefined }) {
  if (props.message === undefined) return null;
  return (
    <p class="field-error" id={`${props.name}-error`} role="alert">
      <IsolatedText text={props.message} />
    </p>
  );
}

function toAriaAttributes(name: keyof TriggerForm, error: string | undefined) {
  if (error === undefined) return { "aria-describedby": `${name}-hint` };
  return { "aria-describedby": `${name}-error ${name}-hint`, "aria-invalid": "true" };
}

function InputField({ form, error }: FieldProps) {
  const hint = "The input of the response. OpenAI bills its tokens, and those of the output.";
  return (
    <FormField name="input" label="Input" hint={hint} error={error}>
      <textarea id="input" name="input" rows={6} required {...toAriaAttributes("input", error)}>
        {form.input}
      </textarea>
    </FormField>
  );
}

function ModelField({ form, error }: FieldProps) {
  const hint = "When empty: the recorder's OPENAI_MODEL.";
  return (
    <FormField name="model" label="Model" hint={hint} error={error}>
      <input
        id="model"
        name="model"
        value={form.model}
        placeholder="the recorder's default"
        spellcheck={false}
        {...toAriaAttributes("model", error)}
      />
    </FormField>
  );
}

function MemoryField({ form, error }: FieldProps) {
  const hint = "The memory of the container. OpenAI bills each container; more memory costs more.";
  return (
    <FormField name="memory" label="Code interpreter" hint={hint} error={error}>
      <select id="memory" name="memory" {...toAriaAttributes("memory", error)}>
        {MEMORY_OPTIONS.map(([value, label]) => (
          <option value={value} selected={value === form.memory}>
            {label}
          </option>
        ))}
      </select>
    </FormField>
  );
}

function FlagFields(props: { form: TriggerForm; errorAt: (name: Flag) => string | undefined }) {
  const { form, errorAt } = props;
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
            {...toAriaAttributes(name, errorAt(name))}
          />
          <label for={name}>{label}</label>
          <p class="hint" id={`${name}-hint`}>
            {hint}
          </p>
          <FieldError name={name} message={errorAt(name)} />
        </div>
      ))}
    </fieldset>
  );
}

function AdvancedField({ form, error }: FieldProps) {
  const hint =
    "Other create parameters, as one JSON object. They override the fields above. store is always true; background is true unless hold is set; outputs are always included.";
  return (
    <FormField name="advanced" label="Advanced, JSON" hint={hint} error={error}>
      <textarea
        id="advanced"
        name="advanced"
        rows={4}
        spellcheck={false}
        placeholder={'{ "reasoning": { "effort": "low" } }'}
        {...toAriaAttributes("advanced", error)}
      >
        {form.advanced}
      </textarea>
    </FormField>
  );
}

// A refused advanced field may hold no JSON, so the command leaves it out.
function CurlCommand(props: { url: string; form: TriggerForm; omitsAdvanced: boolean }) {
  const { url, form, omitsAdvanced } = props;
  const body = toCreateParams(omitsAdvanced ? { ...form, advanced: "" } : form);
  return (
    <section class="card" aria-labelledby="curl-heading">
      <div class="row">
        <h2 id="curl-heading">The request as a command</h2>
        <button type="button" data-copy="curl" hidden>
          Copy
        </button>
      </div>
      <pre class="preformatted wrap" tabindex={0} role="group" aria-label="The request as curl">
        <code id="curl" data-url={`${url}/trigger`}>
          {toCurl(`${url}/trigger`, "ACCESS_TOKEN", body)}
        </code>
      </pre>
      <p class="hint">
        The answer has the run's id and the URL of its page. The command contains no secret: the
        shell inserts <code>$ACCESS_TOKEN</code>.
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
