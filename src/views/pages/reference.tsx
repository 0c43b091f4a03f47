// The contract as a page.
import { ROUTES, type Route } from "../../api/operations.ts";
import { Layout } from "../components/layout.tsx";

/** Every route: what it does and what it answers. */
export function ReferencePage() {
  return (
    <Layout title="Reference">
      <h1>Reference</h1>
      <p>
        Every route but those marked public wants <code>Authorization: Bearer ACCESS_TOKEN</code>.
        With all shapes, for programs: <a href="/openapi.json">openapi.json</a>
      </p>
      {ROUTES.map((route) => (
        <Described route={route} />
      ))}
    </Layout>
  );
}

function Described({ route }: { route: Route }) {
  const asked = [
    ...Object.keys(route.query?.shape ?? {}),
    ...Object.keys(route.headers?.shape ?? {}),
  ];
  return (
    <section>
      <h2>
        <code>
          {route.method.toUpperCase()} {route.path}
        </code>
        {route.open === true ? " (public)" : null}
      </h2>
      <p>{route.text}.</p>
      {asked.length === 0 ? null : <p>Takes {asked.join(", ")}.</p>}
      <ul>
        {Object.entries(route.answers).map(([status, { text }]) => (
          <li>
            {status}: {text}
          </li>
        ))}
      </ul>
    </section>
  );
}
