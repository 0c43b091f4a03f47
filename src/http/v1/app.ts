// OpenAI's API for unchanged SDK code. Background runs are recorded, and held where background mode is known to lose what they ask for; everything else is forwarded.
import { Hono, type Context } from "hono";
import { Problem, type ErrorCode } from "../../errors.ts";
import { log, logFailure } from "../../log.ts";
import { identifyToken, requireWriteAccess, type App } from "../middleware/auth.ts";
import { postResponse } from "./create.ts";
import { cancelResponse, deleteResponse } from "./end.ts";
import { fromProblem, toOpenAIError, type OpenAIError } from "./errors.ts";
import { forward } from "./proxy.ts";
import { getResponse } from "./retrieve.ts";

/** Headers of OpenAI's, or of the servers before it, that would act on this origin, or that tell whose key it is. */
const FORBIDDEN_HEADER =
  /^(set-cookie2?|clear-site-data|access-control-.*|openai-(organization|project)|cross-origin-.*|service-worker-allowed|refresh|link|alt-svc|strict-transport-security|nel|report-to|reporting-endpoints|content-security-policy-report-only)$/;
const KEY_FAILURE: ErrorCode = "openai_unauthorized";
const REQUEST_ID = "x-request-id";

export const v1 = new Hono<App>();

// Forwarded content is untrusted but comes from our origin.
v1.use(async (c, next) => {
  await next();
  c.res = new Response(c.res.body, c.res);
  const { headers } = c.res;
  const names = Array.from(headers.keys());
  for (const name of names) if (FORBIDDEN_HEADER.test(name)) headers.delete(name);
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "sandbox");
  const hold = c.get("hold");
  if (hold !== undefined) headers.set("x-recorder", hold);
  if (!headers.has(REQUEST_ID)) headers.set(REQUEST_ID, createRequestId());
});
v1.use((c, next) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return next();
  const message =
    "The recorder passes on no WebSocket. Use HTTP: POST /v1/responses, with stream: true for its events.";
  const error = toOpenAIError(426, message, { code: "websocket_not_supported" });
  return Promise.resolve(respond(c, error));
});
v1.use(async (c, next) => {
  const access = await identifyToken(c);
  if (access !== null) {
    c.set("access", access);
    return next();
  }
  const message =
    "Incorrect API key provided. The key of this base URL is the recorder's ACCESS_TOKEN.";
  return respond(c, toOpenAIError(401, message, { code: "invalid_api_key" }));
});

v1.get("/responses/:id", async (c) => respond(c, await getResponse(c)));
v1.use(requireWriteAccess);
v1.post("/responses", async (c) => respond(c, await postResponse(c)));
v1.post("/responses/:id/cancel", async (c) => respond(c, await cancelResponse(c)));
v1.delete("/responses/:id", async (c) => respond(c, await deleteResponse(c)));
v1.all("*", async (c) => respond(c, await forward(c)));

v1.onError((error, c) => {
  if (error instanceof Problem) return respond(c, fromProblem(error));
  const requestId = createRequestId();
  logFailure("error", error, { path: c.req.path, request_id: requestId, stack: error.stack });
  const failure = toOpenAIError(500, "The recorder failed. Its log says what happened.");
  return respond(c, { ...failure, headers: { [REQUEST_ID]: requestId } });
});

function respond(c: Context<App>, answer: Response | OpenAIError): Response {
  if (answer instanceof Response) return answer;
  // The caller can't mend it: an operator must hear of it.
  if (answer.error["code"] === KEY_FAILURE) log("v1", { path: c.req.path, outcome: KEY_FAILURE });
  return c.json({ error: answer.error }, answer.status, answer.headers);
}

function createRequestId(): string {
  return `req_${crypto.randomUUID().replaceAll("-", "")}`;
}
