// The fields of the form of a new run.
import type { Child } from "hono/jsx";
import type { TriggerForm } from "../../api/trigger-form.ts";
import { IsolatedText } from "./safe-text.tsx";

type FieldName = keyof TriggerForm;

/** The form's texts, and the field that is wrong. */
export type FormState = { form: TriggerForm; error: { field: FieldName; message: string } | null };

const MEMORY_OPTIONS: readonly [string, string][] = [
  ["", "OpenAI's default, which is 1 GB"],
  ["1g", "1 GB"],
  ["4g", "4 GB"],
  ["16g", "16 GB"],
  ["64g", "64 GB"],
  ["none", "off, or as the advanced field says"],
];

type Flag = "control" | "stream" | "hold";

/** The recorder's flags: what each does, and what it costs. */
const FLAGS: readonly { name: Flag; hint: string }[] = [
  {
    name: "hold",
    hint: "Sends the request with background: false, which returns outputs, and holds the connection until the run ends. You still get the id immediately. It costs what Stream costs. For runs that are short or can be repeated: a restart by Cloudflare breaks the connection, and OpenAI may end the run. Can't be combined with control or stream.",
  },
  {
    name: "stream",
    hint: "Follows the run's events as they come: every item that is done is kept, and its outputs are taken from the stream. No extra cost at OpenAI; at Cloudflare one object works for as long as the run takes.",
  },
  {
    name: "control",
    hint: "Runs the same request a second time with background: false, to prove a loss. Doubles the cost. Not for requests that would act twice or share a container.",
  },
];

/** What each field is called. */
export const FIELD_LABELS: Record<FieldName, string> = {
  input: "Input",
  model: "Model",
  memory: "Code interpreter",
  file_ids: "Files",
  previous_response_id: "Previous response",
  hold: "Hold",
  stream: "Stream",
  control: "Control",
  retention_days: "Days to keep",
  advanced: "Advanced, JSON",
};

/** All fields, in their order. */
export function TriggerFields({ state }: { state: FormState }) {
  return (
    <>
      <TextArea
        name="input"
        rows={6}
        state={state}
        hint="What the model is asked. OpenAI bills its tokens, and those of the output."
      />
      <TextField
        name="model"
        state={state}
        placeholder="the recorder's default"
        hint="When empty: the recorder's OPENAI_MODEL."
      />
      <MemoryField state={state} />
      <TextField
        name="file_ids"
        state={state}
        placeholder="file-…"
        hint="Ids of files that you uploaded to OpenAI, separated by spaces. The code finds them in its container."
      />
      <TextField
        name="previous_response_id"
        state={state}
        placeholder="resp_…"
        hint="The id of a response that this one goes on from. OpenAI must still have it."
      />
      <FlagFields state={state} />
      <TextField
        name="retention_days"
        state={state}
        inputmode="numeric"
        placeholder="the recorder's default"
        hint="When empty: the recorder's RETENTION_DAYS."
      />
      <TextArea
        name="advanced"
        rows={Math.min(16, Math.max(4, state.form.advanced.split("\n").length))}
        state={state}
        isCode
        placeholder={'{ "reasoning": { "effort": "low" } }'}
        hint="Other create parameters, as one JSON object. They override the fields above. store is always true; background is true unless hold is set; outputs are always included."
      />
    </>
  );
}

type FieldProps = { name: FieldName; state: FormState; hint: string; placeholder?: string };

function Field(props: Omit<FieldProps, "placeholder"> & { children: Child }) {
  const { name, state } = props;
  return (
    <div class="field">
      <label for={name}>{FIELD_LABELS[name]}</label>
      {props.children}
      <FieldError name={name} state={state} />
      <Hint name={name} text={props.hint} />
    </div>
  );
}

function Hint(props: { name: FieldName; text: string }) {
  return (
    <p class="hint" id={`${props.name}-hint`}>
      {props.text}
    </p>
  );
}

// The script fills it in, too.
function FieldError({ name, state }: { name: FieldName; state: FormState }) {
  const message = messageAt(name, state);
  return (
    <p class="field-error" id={`${name}-error`} role="status" hidden={message === null}>
      {message === null ? null : <IsolatedText text={message} />}
    </p>
  );
}

function messageAt(name: FieldName, { error }: FormState): string | null {
  return error?.field === name ? error.message : null;
}

// The browser scrolls to what has the focus.
function toAttributes(name: FieldName, state: FormState) {
  const common = { id: name, name, "aria-describedby": `${name}-error ${name}-hint` };
  if (messageAt(name, state) === null) return common;
  return { ...common, "aria-invalid": "true" as const, autofocus: true };
}

function TextField(props: FieldProps & { inputmode?: "numeric" }) {
  const { name, state, placeholder, inputmode } = props;
  return (
    <Field {...props}>
      <input
        value={state.form[name]}
        placeholder={placeholder}
        inputmode={inputmode}
        spellcheck={false}
        autocomplete="off"
        {...toAttributes(name, state)}
      />
    </Field>
  );
}

// A browser drops a line break that comes first.
function TextArea(props: FieldProps & { rows: number; isCode?: boolean }) {
  const { name, state, rows, placeholder, isCode = false } = props;
  return (
    <Field {...props}>
      <textarea
        rows={rows}
        class={isCode ? "code" : undefined}
        spellcheck={isCode ? false : undefined}
        placeholder={placeholder}
        {...toAttributes(name, state)}
      >
        {`\n${state.form[name]}`}
      </textarea>
    </Field>
  );
}

function MemoryField({ state }: { state: FormState }) {
  const hint =
    "The memory of the container in which the code runs. OpenAI bills each container, and more for more memory.";
  return (
    <Field name="memory" state={state} hint={hint}>
      <select {...toAttributes("memory", state)}>
        {MEMORY_OPTIONS.map(([value, label]) => (
          <option value={value} selected={value === state.form.memory}>
            {label}
          </option>
        ))}
      </select>
    </Field>
  );
}

function FlagFields({ state }: { state: FormState }) {
  return (
    <fieldset>
      <legend>Flags</legend>
      {FLAGS.map(({ name, hint }) => (
        <div class="flag">
          <input type="checkbox" checked={state.form[name] !== ""} {...toAttributes(name, state)} />
          <label for={name}>{FIELD_LABELS[name]}</label>
          <Hint name={name} text={hint} />
          <FieldError name={name} state={state} />
        </div>
      ))}
    </fieldset>
  );
}
