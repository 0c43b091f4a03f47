// The contract as a page: the operations of the OpenAPI document.
import { listOperations } from "../../api/operations.ts";
import { Layout } from "../components/layout.tsx";

type ListedOperation = ReturnType<typeof listOperations>[number];

/** Every route, with its parameters and responses. */
export function ReferencePage() {
  return (
    <Layout title="Reference">
      <h1>Reference</h1>
      <p>
        Every route needs <code>Authorization: Bearer ACCESS_TOKEN</code>, except those marked
        public. <code>READ_TOKEN</code> opens what reads. The document with all schemas is{" "}
        <a href="/openapi.json">openapi.json</a>.
      </p>
      {listOperations().map((operation) => (
        <OperationSection operation={operation} />
      ))}
    </Layout>
  );
}

function OperationSection({ operation }: { operation: ListedOperation }) {
  const { method, path, query, headers, responses } = operation;
  const parameters = [...Object.keys(query?.shape ?? {}), ...Object.keys(headers?.shape ?? {})];
  return (
    <section>
      <h2>
        <code>
          {method} {path.replaceAll(/:(\w+)/g, "{$1}")}
        </code>
        {operation.public === true ? " (public)" : null}
      </h2>
      <p>{operation.summary}.</p>
      {parameters.length === 0 ? null : <p>Parameters: {parameters.join(", ")}.</p>}
      <ul>
        {Object.entries(responses).map(([status, { description }]) => (
          <li>
            {status}: {description}
          </li>
        ))}
      </ul>
    </section>
  );
}
