// The frame of every page: head, header, footer.
import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import type { Tone } from "../text/labels.ts";
import { version } from "../../../package.json";
import { ForWriters } from "./write-access.tsx";

type Props = {
  title: string;
  /** Of a run: its tab has an icon of this colour, and the title stands alone. */
  tone?: Tone;
  /** The navigation's link to this page. */
  current?: "results" | "trigger" | "stats";
  /** False leaves out the navigation. */
  isLoggedIn?: boolean;
  /** The page's own script, in addition to `page.js`. */
  script?: "list" | "login" | "trigger";
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
          <title>
            {props.tone === undefined ? `${props.title} · response-recorder` : props.title}
          </title>
          <link rel="icon" href={toIconUrl(props.tone)} type="image/svg+xml" />
          <link rel="stylesheet" href="/assets/style.css" />
          <script type="module" src="/assets/page.js"></script>
          {props.script === undefined ? null : (
            <script type="module" src={`/assets/${props.script}.js`}></script>
          )}
        </head>
        <body>
          <a class="skip-link" href="#main">
            Skip to content
          </a>
          <Header current={props.current} isLoggedIn={props.isLoggedIn !== false} />
          <main id="main" tabindex={-1}>
            {props.children}
          </main>
          <footer>
            response-recorder {version} <a href="/health">Status</a>{" "}
            {props.isLoggedIn === false ? null : <a href="/openapi">API reference</a>}
          </footer>
          <p id="announcement" class="visually-hidden" role="status"></p>
        </body>
      </html>
    </>
  );
}

function toIconUrl(tone: Tone | undefined): string {
  return tone === undefined ? "/assets/icon.svg" : `/assets/icon-${tone}.svg`;
}

function Header(props: { current: Props["current"]; isLoggedIn: boolean }) {
  return (
    <header>
      <div class="header-bar">
        <a class="brand" href="/results">
          <Logo />
          <span>response-recorder</span>
        </a>
        {props.isLoggedIn ? <Navigation current={props.current} /> : null}
      </div>
    </header>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="12" cy="12" r="10" class="ring" />
      <circle cx="12" cy="12" r="4.5" class="core" />
    </svg>
  );
}

function Navigation(props: { current: Props["current"] }) {
  const ariaCurrent = (name: Props["current"]) => (props.current === name ? "page" : undefined);
  return (
    <nav aria-label="Main">
      <a href="/results" aria-current={ariaCurrent("results")}>
        Results
      </a>
      <ForWriters>
        <a href="/trigger" aria-current={ariaCurrent("trigger")}>
          New run
        </a>
      </ForWriters>
      <a href="/stats" aria-current={ariaCurrent("stats")}>
        Stats
      </a>
      <form method="post" action="/logout">
        <button class="plain">Log out</button>
      </form>
    </nav>
  );
}
