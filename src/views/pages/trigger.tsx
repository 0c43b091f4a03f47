// Starts a background response.
import type { Child } from "hono/jsx";
import type { Problem } from "../../errors.ts";
import { EXAMPLE } from "../../openai/client.ts";
import { bodyOf, type Typed } from "../../http/routes/form.ts";
import { curlOf } from "../text/curl.ts";
import { Layout } from "../components/layout.tsx";
import { Visible } from "../components/safe-text.tsx";

const FRESH: Typed = {
  input: EXAMPLE.input,
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
const FIELDS: readonly [keyof Typed, RegExp][] = [
  ["model", /^model\b/],
  ["input", /^input\b/],
  ["memory", /container|memory_limit/],
  ["advanced", /./],
];

/** What an error about a flag begins with. */
const BEGINS: Record<Flag, RegExp> = {
  control: /^(?:With )?control\b/,
  replay: /^(?:With )?replay\b/,
  hold: /^(?:With )?hold\b/,
};

type Props = { url: string; typed?: Typed; problem?: Problem };

/** The trigger's form; after a refusal with what was typed, and what is wrong with it. */
export function TriggerPage(props: Props) {
  const { url, problem, typed = FRESH } = props;
  const where = problem === undefined ? null : fieldOf(problem);
  const wrong = (field: keyof Typed) => (where === field ? problem?.message : undefined);
  return (
    <Layout title="Start a response" here="trigger" script="trigger">
      <h1>Start a background response</h1>
      {problem === undefined || where !== null ? null : <Refusal problem={problem} />}
      <div class="columns">
        <form class="card ask" id="ask" method="post" action="/trigger">
          <Input typed={typed} wrong={wrong("input")} />
          <Model typed={typed} wrong={wrong("model")} />
          <Memory typed={typed} wrong={wrong("memory")} />
          <Flags typed={typed} wrong={wrong} />
          <Advanced typed={typed} wrong={wrong("advanced")} />
          <button class="main">Start</button>
        </form>
        <Command url={url} typed={typed} broken={where === "advanced"} />
      </div>
    </Layout>
  );
}

function Refusal(props: { problem: Problem }) {
  const { message, requestId, code, id } = props.problem;
  return (
    <div class="card trouble" role="alert">
      <strong>
        <code>
          <Visible text={code} />
        </code>
      </strong>{" "}
      <Visible text={message} />
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

type FieldProps = { typed: Typed; wrong: string | undefined };

function Field(props: {
  name: keyof Typed;
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
      <Wrong name={name} text={wrong} />
      <p class="hint" id={`${name}-hint`}>
        {props.hint}
      </p>
    </div>
  );
}

function Wrong(props: { name: keyof Typed; text: string | undefined }) {
  if (props.text === undefined) return null;
  return (
    <p class="wrong" id={`${props.name}-wrong`} role="alert">
      <Visible text={props.text} />
    </p>
  );
}

function described(name: keyof Typed, wrong: string | undefined) {
  if (wrong === undefined) return { "aria-describedby": `${name}-hint` };
  return { "aria-describedby": `${name}-wrong ${name}-hint`, "aria-invalid": "true" };
}

function Input({ typed, wrong }: FieldProps) {
  const hint = "What the model is asked. Billed by its tokens, and by those of the answer.";
  return (
    <Field name="input" label="Input" hint={hint} wrong={wrong}>
      <textarea id="input" name="input" rows={6} required {...described("input", wrong)}>
        {typed.input}
      </textarea>
    </Field>
  );
}

function Model({ typed, wrong }: FieldProps) {
  const hint = "Left empty: the recorder's OPENAI_MODEL.";
  return (
    <Field name="model" label="Model" hint={hint} wrong={wrong}>
      <input
        id="model"
        name="model"
        value={typed.model}
        placeholder="the recorder's default"
        spellcheck={false}
        {...described("model", wrong)}
      />
    </Field>
  );
}

function Memory({ typed, wrong }: FieldProps) {
  const hint = "The container's memory. OpenAI bills each container; larger ones cost more.";
  return (
    <Field name="memory" label="Code interpreter" hint={hint} wrong={wrong}>
      <select id="memory" name="memory" {...described("memory", wrong)}>
        {MEMORY.map(([value, label]) => (
          <option value={value} selected={value === typed.memory}>
            {label}
          </option>
        ))}
      </select>
    </Field>
  );
}

function Flags(props: { typed: Typed; wrong: (name: Flag) => string | undefined }) {
  const { typed, wrong } = props;
  return (
    <fieldset>
      <legend>Flags</legend>
      {FLAGS.map(({ name, label, hint }) => (
        <div class="flag">
          <input
            id={name}
            name={name}
            type="checkbox"
            checked={typed[name] !== ""}
            {...described(name, wrong(name))}
          />
          <label for={name}>{label}</label>
          <p class="hint" id={`${name}-hint`}>
            {hint}
          </p>
          <Wrong name={name} text={wrong(name)} />
        </div>
      ))}
    </fieldset>
  );
}

function Advanced({ typed, wrong }: FieldProps) {
  const hint =
    "Any other create parameters, as one JSON object; they win over the fields above. store is always true, and so is background but with hold; outputs are always asked for.";
  return (
    <Field name="advanced" label="Advanced, JSON" hint={hint} wrong={wrong}>
      <textarea
        id="advanced"
        name="advanced"
        rows={4}
        spellcheck={false}
        placeholder={'{ "reasoning": { "effort": "low" } }'}
        {...described("advanced", wrong)}
      >
        {typed.advanced}
      </textarea>
    </Field>
  );
}

function Command(props: { url: string; typed: Typed; broken: boolean }) {
  const { url, typed, broken } = props;
  const body = bodyOf(broken ? { ...typed, advanced: "" } : typed);
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
          {curlOf(`${url}/trigger`, "ACCESS_TOKEN", body)}
        </code>
      </pre>
      <p class="hint">
        It answers with the run's id and the URL of its page. No secret stands in it: the shell puts
        in <code>$ACCESS_TOKEN</code>.
      </p>
    </section>
  );
}

function fieldOf(problem: Problem): keyof Typed | null {
  const flag = FLAGS.find(({ name }) => BEGINS[name].test(problem.message));
  if (flag !== undefined) return flag.name;
  if (problem.code === "bad_request") return "advanced";
  const { param } = problem;
  if (param === undefined || problem.status >= 429) return null;
  return FIELDS.find(([, pattern]) => pattern.test(param))?.[0] ?? null;
}
