import { Layout } from "../components/layout.tsx";

/** The form for the access token. `next` is the path to go to after the login. */
export function LoginPage(props: { hasWrongToken?: boolean; next?: string | undefined }) {
  const hasWrongToken = props.hasWrongToken === true;
  return (
    <Layout title="Log in" isLoggedIn={false} script="login">
      <form class="card login-form" id="login-form" method="post" action="/login">
        <h1>Log in</h1>
        <p class="explanation">
          The access token is the Worker's <code>ACCESS_TOKEN</code>, or <code>READ_TOKEN</code>,
          which only reads. <code>npm start</code> prints a link that logs you in.
        </p>
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
