// Every route on one page.
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { accepts } from "hono/accepts";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import type { Context, Next } from "hono";
import { version } from "../package.json";
import { settingsInPlace } from "./config.ts";
import { countLogin, countTrigger } from "./http/middleware/rate-limit.ts";
import { logFailure, logged } from "./log.ts";
import { openapi } from "./api/openapi.ts";
import { Problem } from "./errors.ts";
import { isBeingReplaced } from "./workflows/instance.ts";
import { events } from "./http/routes/events.ts";
import { exportPage } from "./http/routes/export.ts";
import { image } from "./http/routes/images.ts";
import {
  cancelRun,
  file,
  forget,
  look,
  outputs,
  page,
  response,
  result,
} from "./http/routes/results.ts";
import { door, logIn, logOut, sameSite, type App } from "./http/middleware/auth.ts";
import {
  askedByForm,
  bodyOf,
  field,
  leadBack,
  readBody,
  readForm,
  typedOf,
} from "./http/routes/form.ts";
import { triggerOnce } from "./http/routes/trigger-once.ts";
import { trigger } from "./http/routes/trigger.ts";
import { LARGEST_WEBHOOK, receiveWebhook } from "./http/routes/webhook.ts";
import { v1 } from "./http/v1/app.ts";
import { ErrorPage } from "./views/pages/error.tsx";
import { ListPage } from "./views/pages/list.tsx";
import { LoginPage } from "./views/pages/login.tsx";
import { ReferencePage } from "./views/pages/reference.tsx";
import { ResultPage } from "./views/pages/result.tsx";
import { TriggerPage } from "./views/pages/trigger.tsx";

/** Bytes of a trigger's body; inputs can hold images. */
const LARGEST_TRIGGER = 25 * 1024 * 1024;

export const app = new Hono<App>();

// Before the rest: it has doors and headers of its own.
app.route("/v1", v1);

app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "same-origin",
  }),
);

// Public.
app.get("/health", (c) => {
  const settings = settingsInPlace(c.env);
  const ready = Object.values(settings).every(Boolean);
  return c.json({ ready, version, settings }, ready ? 200 : 503);
});
app.post("/webhook", limit(LARGEST_WEBHOOK), receiveWebhook);
app.get("/login", (c) => c.html(<LoginPage next={c.req.query("next")} />));
app.post("/login", sameSite, limit(64 * 1024), async (c) => {
  const form = await readForm(c);
  if (await tryToken(c, field(form, "token"))) return c.redirect(ownPath(field(form, "next")), 303);
  return c.html(<LoginPage wrong next={field(form, "next")} />, 401);
});

// Everything below needs the access token or a session.
app.use(door);
app.use(unshared);

app.post("/logout", (c) => {
  logOut(c);
  return c.redirect("/login", 303);
});
app.get("/", (c) => c.redirect("/results"));
app.get("/trigger", (c) => c.html(<TriggerPage url={new URL(c.req.url).origin} />));
app.post("/trigger", limit(LARGEST_TRIGGER), async (c) => {
  if (askedByForm(c)) return triggerByForm(c);
  await countTrigger(c);
  const started = await triggerOnce(c, await readBody(c));
  return c.json(started, 202, { location: `/results/${started.id}` });
});
app.get("/results", async (c) => {
  const { page: found, filter } = await page(c);
  if (wantsPage(c))
    return c.html(
      <ListPage page={found} filter={filter} now={Date.now()} url={new URL(c.req.url).origin} />,
    );
  return c.json({ results: found.rows, cursor: found.cursor });
});
app.get("/results.ndjson", exportPage);
app.get("/results/:id", async (c) => {
  const found = await result(c);
  const follow = c.req.query("follow") !== undefined;
  if (wantsPage(c)) {
    const record = await found.shown();
    const shown = <ResultPage {...{ record, follow }} response={found.response} now={Date.now()} />;
    return c.html(shown);
  }
  return c.body(found.json(), 200, { "content-type": "application/json" });
});
app.get("/results/:id/outputs", outputs);
app.get("/results/:id/response", response);
app.get("/results/:id/events", events);
app.get("/results/:id/images/:call_id/:n", image);
app.post("/results/:id/refetch", leadBack, look);
app.post("/results/:id/cancel", leadBack, cancelRun);
app.delete("/results/:id", forget);
// A form can't send DELETE.
app.post("/results/:id/delete", async (c) => {
  await forget(c);
  return c.redirect("/results", 303);
});
app.get("/results/:id/files/:file_id", file);
app.get("/openapi.json", (c) => c.json(openapi(new URL(c.req.url).origin)));
app.get("/openapi", (c) => c.html(<ReferencePage />));

app.notFound((c) =>
  fail(
    c,
    new Problem(404, "unknown_route", "There is nothing here. /results lists what was recorded."),
  ),
);
app.onError((error, c) => {
  if (error instanceof Problem) return fail(c, error);
  if (isBeingReplaced(error)) {
    const message = "The response's Recorder is just being started anew. Ask again in a second.";
    return fail(c, new Problem(503, "being_replaced", message));
  }
  if (error instanceof HTTPException && error.status === 403) {
    return fail(
      c,
      new Problem(
        403,
        "cross_site",
        "The request came from another site. Use this site's own pages.",
      ),
    );
  }
  logFailure("error", error, { path: c.req.path, stack: error.stack });
  return fail(
    c,
    new Problem(500, "internal", "The recorder failed. Try again; its log says what happened."),
  );
});

// The log never says what was typed.
function tryToken(c: Context<App>, token: string): Promise<boolean> {
  const attempt = async () => {
    await countLogin(c);
    return logIn(c, token);
  };
  return logged("login", {}, attempt, (right) => ({ outcome: right ? "let in" : "wrong token" }));
}

// What was typed stays, and what is wrong with it stands beside it.
async function triggerByForm(c: Context<App>): Promise<Response> {
  const typed = typedOf(await readForm(c));
  const url = new URL(c.req.url).origin;
  try {
    const asked = bodyOf(typed);
    await countTrigger(c);
    const started = await trigger(c, asked);
    return c.redirect(`/results/${started.id}`, 303);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tellWhen(c, error);
    return c.html(<TriggerPage url={url} typed={typed} problem={error} />, error.status);
  }
}

function fail(c: Context<App>, problem: Problem): Response | Promise<Response> {
  tellWhen(c, problem);
  if (problem.status === 401 && wantsPage(c))
    return c.redirect(`/login?next=${encodeURIComponent(c.req.path)}`);
  if (wantsPage(c)) return c.html(<ErrorPage problem={problem} />, problem.status);
  if (problem.status === 401) c.header("www-authenticate", "Bearer");
  return c.json(problem.toJSON(), problem.status);
}

function tellWhen(c: Context<App>, { retryAfter }: Problem): void {
  if (retryAfter !== undefined) c.header("retry-after", String(retryAfter));
}

// What needs a token is for whoever showed it: no cache keeps it, nor the browser after logging out.
function unshared(c: Context<App>, next: Next): Promise<void> {
  c.header("cache-control", "private, no-store");
  return next();
}

function limit(maxSize: number): ReturnType<typeof bodyLimit> {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem(413, "too_large", `The body may have at most ${maxSize} bytes.`);
    },
  });
}

function wantsPage(c: Context<App>): boolean {
  const supports = ["application/json", "text/html"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/html";
}

// Only a path of our own: never where a link from elsewhere wants a login to lead.
function ownPath(next: string): string {
  return /^\/(?![/\\])[\w\-./?=&%]*$/.test(next) ? next : "/results";
}
