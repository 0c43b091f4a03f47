// What every page shares.
import type { Child } from "hono/jsx";
import { raw } from "hono/html";

/** A page. `signedIn` false leaves out what needs a session. */
export function Layout(props: { title: string; signedIn?: boolean; children: Child }) {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{props.title} · response-recorder</title>
          <link rel="stylesheet" href="/assets/style.css" />
        </head>
        <body>
          <header>
            <a href="/results">response-recorder</a>
            {props.signedIn === false ? null : <Navigation />}
          </header>
          <main>{props.children}</main>
        </body>
      </html>
    </>
  );
}

function Navigation() {
  return (
    <nav>
      <a href="/results">Results</a>
      <a href="/trigger">Trigger</a>
      <form method="post" action="/logout">
        <button>Log out</button>
      </form>
    </nav>
  );
}
