import { Layout } from "./layout.tsx";

/** Asks for the access token. */
export function LoginPage(props: { wrong?: boolean; next?: string | undefined }) {
  return (
    <Layout title="Log in" signedIn={false}>
      <h1>Log in</h1>
      <form method="post" action="/login">
        {props.wrong === true ? <p role="alert">That is not the access token.</p> : null}
        <label for="token">Access token</label>
        <input id="token" name="token" type="password" required autocomplete="current-password" />
        <input name="next" type="hidden" value={props.next ?? ""} />
        <button>Log in</button>
      </form>
    </Layout>
  );
}
