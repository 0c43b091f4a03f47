// A problem as a page: what is wrong, and what to do next.
import type { ErrorCode, Problem } from "../../errors.ts";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { ForWriters } from "../components/write-access.tsx";

/** Problems that a visitor without a session can meet. Their pages have no navigation. */
const CODES_BEFORE_LOGIN: readonly ErrorCode[] = [
  "not_configured",
  "unauthorized",
  "too_many_logins",
];

/** The page of a problem. */
export function ErrorPage(props: { problem: Problem }) {
  const { problem } = props;
  const isLoggedIn = !CODES_BEFORE_LOGIN.some((code) => code === problem.code);
  return (
    <Layout title={problem.title} isLoggedIn={isLoggedIn}>
      <div class="card error-page">
        <p class="error-status">{problem.status}</p>
        <h1>{problem.title}</h1>
        <p>
          <IsolatedText text={problem.message} />
        </p>
        <dl class="properties">
          <Detail name="Response" value={problem.id} />
          <Detail name="OpenAI's request id" value={problem.requestId} />
          <Detail name="Code" value={problem.code} />
        </dl>
        <NextSteps problem={problem} />
      </div>
    </Layout>
  );
}

function Detail(props: { name: string; value: string | undefined }) {
  if (props.value === undefined) return null;
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <code>
          <IsolatedText text={props.value} />
        </code>
      </dd>
    </div>
  );
}

function NextSteps(props: { problem: Problem }) {
  const { code, id } = props.problem;
  if (code === "not_configured") return <a href="/health">Status</a>;
  if (code === "too_many_logins") return <a href="/login">Back to login</a>;
  const isRecorded = id !== undefined && code !== "not_found";
  return (
    <>
      <ForWriters>{id !== undefined && !isRecorded ? <RefetchForm id={id} /> : null}</ForWriters>
      <p class="links">
        {isRecorded ? <a href={`/results/${id}`}>The run's page</a> : null}
        <a href="/results">All results</a>
        <ForWriters>
          <a href="/trigger">New run</a>
        </ForWriters>
        {code === "read_only" ? <a href="/login">Log in with ACCESS_TOKEN</a> : null}
      </p>
    </>
  );
}

// OpenAI keeps responses for 30 days, so one without a record can still be fetched.
function RefetchForm(props: { id: string }) {
  return (
    <form method="post" action={`/results/${props.id}/refetch`}>
      <button class="primary">Check now</button>
    </form>
  );
}
