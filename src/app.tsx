// Every route on one page.
import { Hono, type Context, type Handler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Child } from "hono/jsx";
import { secureHeaders } from "hono/secure-headers";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { toOpenApi } from "./api/openapi.ts";
import { listOperations, type OperationName, type PublicOperationName } from "./api/operations.ts";
import { toJsonBody } from "./api/json-body.ts";
import { parseTriggerForm, toCreateParams } from "./api/trigger-form.ts";
import { Problem } from "./errors.ts";
import {
  identifyVisitor,
  logIn,
  logOut,
  noStore,
  requireAuth,
  requireSameSite,
  requireWriteAccess,
  type Access,
  type App,
} from "./http/middleware/auth.ts";
import { requireV1 } from "./http/middleware/base-url.ts";
import { requireKnownQuery } from "./http/middleware/known-query.ts";
import { limitLogins, limitTriggers } from "./http/middleware/rate-limit.ts";
import { streamEvents } from "./http/routes/events.ts";
import { exportPage } from "./http/routes/export.ts";
import {
  formField,
  isFormRequest,
  readForm,
  readJsonBody,
  redirectToRun,
} from "./http/routes/form.ts";
import { readHealth } from "./http/routes/health.ts";
import { getImage } from "./http/routes/images.ts";
import { rebuildCatalog } from "./http/routes/rebuild.ts";
import { getOutputs } from "./http/routes/outputs.ts";
import {
  cancelResult,
  deleteResult,
  getFile,
  getRecord,
  getResponse,
  listRecords,
  redirectToSearchedId,
  refetchResult,
} from "./http/routes/results.ts";
import { fillForm } from "./http/routes/trigger-form.ts";
import { readStats } from "./http/routes/stats.ts";
import { startTrigger, triggerOnce } from "./http/routes/trigger.ts";
import { MAX_WEBHOOK_BYTES, receiveWebhook } from "./http/routes/webhook.ts";
import { v1 } from "./http/v1/app.ts";
import { wantsHtml } from "./http/wants-html.ts";
import { logFailure, withLog } from "./log.ts";
import { WriteAccess } from "./views/components/write-access.tsx";
import { ErrorPage } from "./views/pages/error.tsx";
import { ResultListPage } from "./views/pages/list.tsx";
import { LoginPage } from "./views/pages/login.tsx";
import { ReferencePage } from "./views/pages/reference.tsx";
import { ResultPage } from "./views/pages/result.tsx";
import { StatusPage } from "./views/pages/status.tsx";
import { StatsPage } from "./views/pages/stats.tsx";
import { TriggerPage } from "./views/pages/trigger.tsx";

/** Inputs can contain images. */
const MAX_TRIGGER_BYTES = 25 * 1024 * 1024;
const MAX_LOGIN_BYTES = 64 * 1024;

export const app = new Hono<App>();

type Handlers = Handler<App>[];

// The contract and these tables have the same keys: a route without a handler does not compile, nor one that the contract lacks.
const PUBLIC_ROUTES: Record<PublicOperationName, Handlers> = {
  "GET /health": [
    noStore,
    async (c) => {
      const health = await readHealth(c);
      const status = health.ready ? 200 : 503;
      const isLoggedIn = c.get("access") !== undefined;
      if (!wantsHtml(c)) return c.json(health, status);
      return sendPage(c, <StatusPage {...{ health, isLoggedIn }} />, status);
    },
  ],
  "POST /webhook": [limitBody(MAX_WEBHOOK_BYTES), receiveWebhook],
  "GET /login": [
    async (c) => {
      const next = c.req.query("next");
      const access = await identifyVisitor(c);
      const session = access === null ? null : { access, nextPath: safeNextPath(next ?? "") };
      return c.html(<LoginPage next={next} session={session} />);
    },
  ],
  "POST /login": [
    requireSameSite,
    limitBody(MAX_LOGIN_BYTES),
    async (c) => {
      const form = await readForm(c);
      const next = formField(form, "next");
      const access = await attemptLogin(c, formField(form, "token"));
      if (access === null) return c.html(<LoginPage hasWrongToken next={next} />, 401);
      return c.redirect(safeNextPath(next), 303);
    },
  ],
};

const PROTECTED_ROUTES: Record<Exclude<OperationName, PublicOperationName>, Handlers> = {
  "POST /logout": [
    (c) => {
      logOut(c);
      return c.redirect("/login", 303);
    },
  ],
  "GET /": [(c) => c.redirect("/results")],
  "GET /trigger": [
    async (c) => {
      const { status, ...filled } = await fillForm(c);
      return sendPage(c, <TriggerPage url={origin(c)} {...filled} />, status);
    },
  ],
  "POST /trigger": [
    limitBody(MAX_TRIGGER_BYTES),
    async (c) => {
      if (await isFormRequest(c)) return triggerByForm(c);
      await limitTriggers(c);
      const result = await triggerOnce(c, await readJsonBody(c));
      return c.json(result, 202, { location: `/results/${result.id}` });
    },
  ],
  "GET /results": [
    redirectToSearchedId,
    async (c) => {
      const { page, query } = await listRecords(c);
      if (wantsHtml(c)) {
        return sendPage(
          c,
          <ResultListPage page={page} query={query} nowMs={Date.now()} url={origin(c)} />,
        );
      }
      return c.json({ results: page.rows, cursor: page.cursor });
    },
  ],
  "GET /results.ndjson": [exportPage],
  "GET /results/:id": [
    async (c) => {
      const found = await getRecord(c);
      if (!wantsHtml(c)) {
        return c.body(found.json(), 200, { "content-type": "application/json" });
      }
      const record = await found.toPageRecord();
      const follow = c.req.query("follow") !== undefined;
      const { response, items, nextCheck } = found;
      const content = { record, response, items, nextCheck, follow, nowMs: Date.now() };
      return sendPage(c, <ResultPage {...content} />);
    },
  ],
  "GET /results/:id/outputs": [getOutputs],
  "GET /results/:id/response": [getResponse],
  "GET /results/:id/events": [streamEvents],
  "GET /results/:id/images/:call_id/:n": [getImage],
  "GET /results/:id/files/:file_id": [getFile],
  "POST /results/:id/refetch": [redirectToRun, refetchResult],
  "POST /results/:id/cancel": [redirectToRun, cancelResult],
  "DELETE /results/:id": [deleteResult],
  // A form can't send DELETE.
  "POST /results/:id/delete": [
    async (c) => {
      await deleteResult(c);
      return c.redirect("/results", 303);
    },
  ],
  "GET /stats": [
    async (c) => {
      const stats = await readStats(c);
      return wantsHtml(c) ? sendPage(c, <StatsPage stats={stats} />) : c.json(stats);
    },
  ],
  "POST /catalog/rebuild": [rebuildCatalog],
  "GET /openapi.json": [(c) => c.json(toOpenApi(origin(c)))],
  "GET /openapi": [(c) => sendPage(c, <ReferencePage />)],
};

// Before the rest: it has its own authentication and headers.
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
app.use(requireV1);
register(PUBLIC_ROUTES);
for (const path of new Set(Object.keys(PUBLIC_ROUTES).map(toPath))) app.all(path, refuseMethod);
app.use(requireAuth);
app.use(noStore);
register(PROTECTED_ROUTES);

app.notFound((c) => {
  if (findMethods(c.req.path).length > 0) return refuseMethod(c);
  const message = "Not found. /results lists all records.";
  return respondWithProblem(c, new Problem("unknown_route", message));
});
app.onError((error, c) => {
  if (error instanceof Problem) return respondWithProblem(c, error);
  logFailure("error", error, { path: c.req.path, stack: error.stack });
  const message = "The recorder failed. Try again; its log says what happened.";
  return respondWithProblem(c, new Problem("internal", message));
});

function refuseMethod(c: Context<App>): Response | Promise<Response> {
  const allowed = findMethods(c.req.path);
  c.header("allow", allowed.join(", "));
  const message = `${c.req.method} is not possible here. Use ${allowed.join(" or ")}.`;
  return respondWithProblem(c, new Problem("method_not_allowed", message));
}

function toPath(name: string): string {
  return name.split(" ")[1] ?? "";
}

// The methods of the routes that have this path.
function findMethods(path: string): string[] {
  const names = [...Object.keys(PUBLIC_ROUTES), ...Object.keys(PROTECTED_ROUTES)];
  return names.flatMap((name) => {
    const [method = "", pattern = ""] = name.split(" ");
    return toPathExpression(pattern).test(path) ? [method] : [];
  });
}

function toPathExpression(pattern: string): RegExp {
  const parts = pattern.split("/").map((part) => (part.startsWith(":") ? "[^/]+" : part));
  return new RegExp(`^${parts.join("/").replaceAll(".", "\\.")}$`);
}

function register(routes: Record<string, Handlers>): void {
  for (const { method, path, query, ignoresQuery, ...operation } of listOperations()) {
    const handlers = routes[`${method} ${path}`];
    if (handlers === undefined) continue;
    const isOpen = operation.public === true || operation.reads;
    const checks = [
      ...(isOpen ? [] : [requireWriteAccess]),
      ...(ignoresQuery === true ? [] : [requireKnownQuery(query)]),
    ];
    app.on(method, [path], ...checks, ...handlers);
  }
}

// The log never contains the token that was typed.
function attemptLogin(c: Context<App>, token: string): Promise<Access | null> {
  const attempt = async () => {
    await limitLogins(c);
    return logIn(c, token);
  };
  return withLog("login", {}, attempt, (access) =>
    access === null ? { outcome: "wrong_token" } : { outcome: "authenticated", access },
  );
}

// A refused form keeps what was typed, with the error at its field.
async function triggerByForm(c: Context<App>): Promise<Response> {
  const form = parseTriggerForm(await readForm(c));
  try {
    const params = toCreateParams(form);
    await limitTriggers(c);
    const { id } = await startTrigger(c, toJsonBody(params));
    return c.redirect(`/results/${id}`, 303);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    setRetryAfter(c, error);
    const page = <TriggerPage url={origin(c)} form={form} problem={error} />;
    return sendPage(c, page, error.status);
  }
}

function respondWithProblem(c: Context<App>, problem: Problem): Response | Promise<Response> {
  setRetryAfter(c, problem);
  const { status } = problem;
  if (status === 401 && wantsHtml(c)) {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/login?next=${encodeURIComponent(pathname + search)}`);
  }
  if (wantsHtml(c)) return sendPage(c, <ErrorPage problem={problem} />, status);
  if (status === 401) c.header("www-authenticate", "Bearer");
  return c.json(problem.toJSON(), status);
}

// What only writers see depends on the caller's token.
function sendPage(
  c: Context<App>,
  content: Child,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> {
  const canWrite = c.get("access") === "all";
  return c.html(<WriteAccess.Provider value={canWrite}>{content}</WriteAccess.Provider>, status);
}

function setRetryAfter(c: Context<App>, { retryAfterSeconds }: Problem): void {
  if (retryAfterSeconds !== undefined) c.header("retry-after", String(retryAfterSeconds));
}

function limitBody(maxSize: number): ReturnType<typeof bodyLimit> {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem(
        "too_large",
        `The body may have at most ${maxSize} bytes. Send a smaller one: upload files to OpenAI, and name them by their ids.`,
      );
    },
  });
}

function origin(c: Context<App>): string {
  return new URL(c.req.url).origin;
}

// A login leads only to a path of this site, never to where a link from elsewhere points.
function safeNextPath(next: string): string {
  return /^\/(?![/\\])[\w\-./?=&%+*~:,[\]]*$/.test(next) ? next : "/results";
}
