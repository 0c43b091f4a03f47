import { Layout } from "../components/layout.tsx";

type Props = {
  hasWrongToken?: boolean;
  /** Where the login leads, as it was asked for. */
  next?: string | undefined;
  /** The path to go on to, when the browser has a session. */
  nextPath?: string | undefined;
};

/** The form for the access token. A browser that has a session is led on, unless it comes with another token. */
export function LoginPage(props: Props) {
  const hasWrongToken = props.hasWrongToken === true;
  return (
    <Layout title="Log in" isLoggedIn={false} script="login">
      <form class="card login-form" id="login-form" method="post" action="/login">
        <h1>Log in</h1>
        <p class="explanation">
          The access token is the Worker's <code>ACCESS_TOKEN</code>. <code>npm start</code> prints
          a link that logs you in.
        </p>
        {props.nextPath === undefined ? null : (
          <p>
            This browser is logged in:{" "}
            <a id="next" href={props.nextPath}>
              go on
            </a>
            , or log in with another token.
          </p>
        )}
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
