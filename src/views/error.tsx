import type { Problem } from "../errors.ts";
import { Layout } from "./layout.tsx";

/** What went wrong, and what to do. */
export function ErrorPage(props: { problem: Problem }) {
  const { problem } = props;
  return (
    <Layout title={problem.code}>
      <h1>{problem.status}</h1>
      <p>{problem.message}</p>
      {problem.id === undefined ? null : (
        <p>
          Response: <code>{problem.id}</code>
        </p>
      )}
      {problem.requestId === undefined ? null : (
        <p>
          OpenAI's request id: <code>{problem.requestId}</code>
        </p>
      )}
    </Layout>
  );
}
