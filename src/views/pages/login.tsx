import { Layout } from "../components/layout.tsx";

type Props = {
  hasWrongToken?: boolean;
  /** Where the login leads, as it was asked for. */
  next?: string | undefined;
  /** Of a browser that has a session: what that opens, and the path to go on to. */
  session?: { access: "all" | "read"; nextPath: string } | null;
};

/** The form for a token. A browser with a session that opens everything is led on, unless it comes with another token. */
export function LoginPage(props: Props) {
  const hasWrongToken = props.hasWrongToken === true;
  return (
    <Layout title="Log in" isLoggedIn={false} script="login">
      <form class="card login-form" id="login-form" method="post" action="/login">
        <h1>Log in</h1>
        <p class="explanation">
          The access token is the Worker's <code>ACCESS_TOKEN</code>, or <code>READ_TOKEN</code>,
          which only reads. <code>npm start</code> prints a link that logs you in.
        </p>
        <SessionNote session={props.session ?? null} />
        <label for="token">Access token</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          autocomplete="current-password"
          aria-invalid={hasWrongToken ? "true" : undefined}
          aria-describedby={hasWrongToken ? "token-error" : undefined}
        />
        {hasWrongToken ? (
          <p class="field-error" id="token-error" role="alert">
            Wrong access token.
          </p>
        ) : null}
        <input name="next" type="hidden" value={props.next ?? ""} />
        <button class="primary">Log in</button>
      </form>
    </Layout>
  );
}

// The page's script follows the link, but for a reader, who may have come for more.
function SessionNote({ session }: { session: NonNullable<Props["session"]> | null }) {
  if (session === null) return null;
  const { access, nextPath } = session;
  return (
    <p>
      This browser is logged in{access === "read" ? ", and only reads" : ""}:{" "}
      <a id={access === "all" ? "next" : undefined} href={nextPath}>
        go on
      </a>
      , or log in with another token.
    </p>
  );
}
