// The contract as a page: the operations of the OpenAPI document, and the shapes of what they take and answer.
import { listParameters, listShapes, type Parameter } from "../../api/openapi.ts";
import { listOperations } from "../../api/operations.ts";
import { COMMON_RESPONSES, type OperationResponse } from "../../api/responses.ts";
import { InlineCode } from "../components/code-block.tsx";
import { DataTable } from "../components/figures/data-table.tsx";
import { Layout } from "../components/layout.tsx";
import { toRuleText, toTypeText } from "../text/json-shape.ts";

type ListedOperation = ReturnType<typeof listOperations>[number];

/** Every route, with its parameters and responses. */
export function ReferencePage() {
  return (
    <Layout title="API reference">
      <h1>API reference</h1>
      <p>
        Every route needs <code>Authorization: Bearer ACCESS_TOKEN</code>, except those marked
        public. <code>READ_TOKEN</code> opens what reads. The document with all schemas is{" "}
        <a href="/openapi.json">openapi.json</a>.
      </p>
      <section class="card" aria-labelledby="common">
        <h2 id="common">Answers of every route</h2>
        <Responses responses={COMMON_RESPONSES} />
      </section>
      {listOperations().map((operation) => (
        <OperationSection operation={operation} />
      ))}
      <h2 id="shapes">Shapes</h2>
      {Object.entries(listShapes()).map(([name, schema]) => (
        <section class="card operation" aria-labelledby={toShapeAnchor(name)}>
          <Heading anchor={toShapeAnchor(name)}>{name}</Heading>
          <pre class="wrap" tabindex={0} role="group" aria-label={`The shape ${name}`}>
            <code>{toTypeText(schema)}</code>
          </pre>
        </section>
      ))}
    </Layout>
  );
}

function OperationSection({ operation }: { operation: ListedOperation }) {
  const { id, method, path, summary, body, responses } = operation;
  return (
    <section class="card operation" aria-labelledby={id}>
      <Heading anchor={id}>{`${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`}</Heading>
      <p>
        <InlineCode text={`${summary}.${toAccess(operation)}`} />
      </p>
      <Parameters parameters={listParameters(operation)} />
      {body === undefined ? null : (
        <p>
          Body: <ShapeLinks names={[body]} />
        </p>
      )}
      <Responses responses={responses} />
    </section>
  );
}

// What a script can't see from the method.
function toAccess({ public: isPublic, method, reads }: ListedOperation): string {
  if (isPublic === true) return " Public.";
  if (reads && method !== "GET") return " `READ_TOKEN` opens it.";
  return !reads && method === "GET" ? " `READ_TOKEN` does not open it." : "";
}

function Heading(props: { anchor: string; children: string }) {
  return (
    <h2 id={props.anchor}>
      <a href={`#${props.anchor}`}>
        <code>{props.children}</code>
      </a>
    </h2>
  );
}

function Parameters({ parameters }: { parameters: Parameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <DataTable caption="Parameters" columns={["Parameter", "In", "Rule", "Meaning"]}>
      {parameters.map(({ name, in: where, required, schema, description }) => (
        <tr>
          <th scope="row">
            <code>{schema["type"] === "object" ? `${name}[key]` : name}</code>
          </th>
          <td>
            {where}
            {required === true ? ", required" : ""}
          </td>
          <td>{toRuleText(schema)}</td>
          <td>
            <InlineCode text={description ?? ""} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function Responses({ responses }: { responses: Record<number, OperationResponse> }) {
  return (
    <ul class="responses">
      {Object.entries(responses).map(([status, response]) => (
        <li>
          <strong>{status}</strong>
          <span>
            <InlineCode text={toSentence(response)} /> <ResponseShape response={response} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function toSentence({ description, html }: OperationResponse): string {
  return `${description}${html === true ? "; HTML for a browser" : ""}.`;
}

function ResponseShape({ response }: { response: OperationResponse }) {
  const { schema, contentType } = response;
  // Errors have the same shape everywhere, which is said once.
  if (schema === "Error") return null;
  const names = typeof schema === "string" ? [schema] : (schema ?? []);
  return (
    <>
      {contentType === undefined ? null : <code>{contentType}</code>} <ShapeLinks names={names} />
    </>
  );
}

function ShapeLinks({ names }: { names: readonly string[] }) {
  return (
    <>
      {names.map((name, index) => (
        <>
          {index === 0 ? "" : " or "}
          <a href={`#${toShapeAnchor(name)}`}>{name}</a>
        </>
      ))}
    </>
  );
}

function toShapeAnchor(name: string): string {
  return `shape-${name}`;
}
