import { Layout } from "../components/layout.tsx";

/** Asks for the access token. */
export function LoginPage(props: { wrong?: boolean; next?: string | undefined }) {
  const wrong = props.wrong === true;
  return (
    <Layout title="Log in" signedIn={false} script="login">
      <form class="card door" id="login" method="post" action="/login">
        <h1>Log in</h1>
        <p class="meaning">
          The access token is the Worker's <code>ACCESS_TOKEN</code>. <code>npm start</code> prints
          a link that logs in by itself.
        </p>
        <label for="token">Access token</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          autocomplete="current-password"
          aria-invalid={wrong ? "true" : undefined}
          aria-describedby={wrong ? "wrong" : undefined}
        />
        {wrong ? (
          <p class="wrong" id="wrong" role="alert">
            That is not the access token.
          </p>
        ) : null}
        <input name="next" type="hidden" value={props.next ?? ""} />
        <button class="main">Log in</button>
      </form>
    </Layout>
  );
}
