// What went wrong, and what to do.
import type { Problem } from "../../errors.ts";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";

/** Headlines by the problem's code. */
const TITLES: Record<string, string> = {
  unknown_route: "There is no such page",
  unknown_response: "Not recorded, or expired",
  not_yet: "The response has not ended",
  not_configured: "A setting is missing",
  openai_unauthorized: "OpenAI refused the recorder's key",
  may_have_started: "It may have started",
  not_handed_over: "It runs, but is not followed yet",
  cross_site: "Refused: the request came from another site",
  too_large: "Too large",
  too_many_logins: "Too many tries to log in",
  too_many_triggers: "Too many runs at once",
  already_settled: "The run has ended",
  internal: "The recorder failed",
};

/** Problems that whoever has no session meets too. */
const CODES_WITHOUT_SESSION = new Set(["not_configured", "unauthorized", "too_many_logins"]);

/** A problem's page. */
export function ErrorPage(props: { problem: Problem }) {
  const { problem } = props;
  const title = TITLES[problem.code] ?? "That did not work";
  return (
    <Layout title={title} signedIn={!CODES_WITHOUT_SESSION.has(problem.code)}>
      <div class="card failure">
        <p class="number">{problem.status}</p>
        <h1>{title}</h1>
        <p>
          <IsolatedText text={problem.message} />
        </p>
        <dl class="facts">
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
  if (code === "not_configured") return <a href="/health">Which settings are in place</a>;
  if (code === "too_many_logins") return <a href="/login">Back to the login</a>;
  const known = id !== undefined && code !== "unknown_response";
  return (
    <>
      {id !== undefined && !known ? <RefetchForm id={id} /> : null}
      <p class="links">
        {known ? <a href={`/results/${id}`}>The run's page</a> : null}
        <a href="/results">All results</a>
        <a href="/trigger">Start a response</a>
      </p>
    </>
  );
}

// OpenAI keeps responses for 30 days: one that nobody recorded can still be looked at.
function RefetchForm(props: { id: string }) {
  return (
    <form method="post" action={`/results/${props.id}/refetch`}>
      <button class="main">Ask OpenAI for it</button>
    </form>
  );
}
