// What every page shares.
import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import { version } from "../../../package.json";

type Props = {
  title: string;
  /** Where in the navigation this page stands. */
  here?: "results" | "trigger";
  /** False leaves out what needs a session. */
  signedIn?: boolean;
  /** A script of the page's own, besides what every page has. */
  script?: "login" | "trigger";
  children: Child;
};

/** A page. */
export function Layout(props: Props) {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{props.title} · response-recorder</title>
          <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
          <link rel="stylesheet" href="/assets/style.css" />
          <script type="module" src="/assets/page.js"></script>
          {props.script === undefined ? null : (
            <script type="module" src={`/assets/${props.script}.js`}></script>
          )}
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <Header here={props.here} signedIn={props.signedIn !== false} />
          <main id="main" tabindex={-1}>
            {props.children}
          </main>
          <footer>
            response-recorder {version} <a href="/health">Settings in place</a>
          </footer>
          <p id="said" class="unseen" role="status"></p>
        </body>
      </html>
    </>
  );
}

function Header(props: { here: Props["here"]; signedIn: boolean }) {
  return (
    <header>
      <div class="bar">
        <a class="brand" href="/results">
          <Logo />
          <span>response-recorder</span>
        </a>
        {props.signedIn ? <Navigation here={props.here} /> : null}
      </div>
    </header>
  );
}

function Logo() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="12" cy="12" r="10" class="ring" />
      <circle cx="12" cy="12" r="4.5" class="core" />
    </svg>
  );
}

function Navigation(props: { here: Props["here"] }) {
  const current = (name: Props["here"]) => (props.here === name ? "page" : undefined);
  return (
    <nav aria-label="Main">
      <a href="/results" aria-current={current("results")}>
        Results
      </a>
      <a href="/trigger" aria-current={current("trigger")}>
        Trigger
      </a>
      <form method="post" action="/logout">
        <button class="plain">Log out</button>
      </form>
    </nav>
  );
}
