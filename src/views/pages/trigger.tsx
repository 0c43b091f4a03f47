// The form that starts a run.
import { toCurl } from "../../../public/assets/curl.js";
import type { Gap } from "../../api/trigger-prefill.ts";
import { EMPTY_FORM, EXAMPLE_FORM, readParams, type TriggerForm } from "../../api/trigger-form.ts";
import { Problem } from "../../errors.ts";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { FIELD_LABELS, TriggerFields, type FormState } from "../components/trigger-fields.tsx";

/** The field for each of the parameters. The first match counts. */
const PARAM_FIELDS: readonly [keyof TriggerForm, RegExp][] = [
  ["model", /^model\b/],
  ["input", /^input\b/],
  ["previous_response_id", /^previous_response_id\b/],
  ["hold", /^hold\b/],
  ["stream", /^stream\b/],
  ["control", /^control\b/],
  ["retention_days", /^retention_days\b/],
  ["file_ids", /file_ids/],
  ["memory", /^memory\b|container|memory_limit/],
  ["advanced", /./],
];

type Props = {
  /** The Worker's origin. */
  url: string;
  form?: TriggerForm;
  problem?: Problem | undefined;
  /** The id of the run that the form is filled from. */
  from?: string | undefined;
  gaps?: Gap[];
};

/** The form. After a refusal it keeps what was typed and shows the problem at its field. */
export function TriggerPage(props: Props) {
  const { url, problem, from, form = EXAMPLE_FORM, gaps = [] } = props;
  const field = problem === undefined ? null : findField(problem, form);
  const error =
    problem === undefined || field === null ? null : { field, message: problem.message };
  return (
    <Layout title="New run" current="trigger" script="trigger">
      <h1>New run</h1>
      {problem === undefined || field !== null ? null : <ProblemAlert problem={problem} />}
      {from === undefined ? null : <Origin id={from} gaps={gaps} />}
      <div class="columns">
        <Form state={{ form, error }} />
        <CurlCommand url={url} form={form} />
      </div>
    </Layout>
  );
}

function Form({ state }: { state: FormState }) {
  return (
    <form class="card trigger-form" id="trigger-form" method="post" action="/trigger">
      <TriggerFields state={state} />
      <div class="row">
        <button class="primary">Start</button>
        <span class="hint">
          or <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
    </form>
  );
}

function Origin({ id, gaps }: { id: string; gaps: Gap[] }) {
  return (
    <section class="card" aria-label="Where the form is filled from">
      <p>
        Filled in from the run <a href={`/results/${id}`}>{id}</a>. Nothing runs until you start it.
      </p>
      {gaps.length === 0 ? null : (
        <>
          <p>
            <strong>Before you start it:</strong>
          </p>
          <ul class="gaps">
            {gaps.map(({ field, message }) => (
              <li>
                <a href={`#${field}`}>{FIELD_LABELS[field]}</a>: <IsolatedText text={message} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
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
      {id === undefined ? null : (
        <>
          {" "}
          <a href={`/results/${id}`}>The run's page</a>
        </>
      )}
    </div>
  );
}

// A refused form may stand for no request: the command then leaves out the fields at fault.
function CurlCommand({ url, form }: { url: string; form: TriggerForm }) {
  const params = tryToRead(form) ?? tryToRead({ ...form, advanced: "", file_ids: "" }) ?? {};
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
          {toCurl(`${url}/trigger`, "ACCESS_TOKEN", params)}
        </code>
      </pre>
      <p class="hint">
        The answer has the run's id and the URL of its page. The shell inserts the access token from{" "}
        <code>$ACCESS_TOKEN</code>.
      </p>
    </section>
  );
}

// Null for a form whose fields stand for no request.
function tryToRead(form: TriggerForm): Record<string, unknown> | null {
  try {
    return readParams(form);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function findField(problem: Problem, form: TriggerForm): keyof TriggerForm | null {
  const { param } = problem;
  if (param === undefined) return problem.code === "bad_request" ? "advanced" : null;
  if (problem.status >= 429) return null;
  // A parameter of the advanced field overrides the field of its own.
  const advanced = tryToRead({ ...EMPTY_FORM, memory: "none", advanced: form.advanced }) ?? {};
  if (Object.hasOwn(advanced, /^\w*/.exec(param)?.[0] ?? "")) return "advanced";
  return PARAM_FIELDS.find(([, pattern]) => pattern.test(param))?.[0] ?? null;
}
