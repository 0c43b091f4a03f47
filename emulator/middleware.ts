/** The middleware that each API request passes before its route. The last one is in `faults/inject-fault.ts`. */
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { AppEnv } from "./app-env.ts";
import { ApiError, bodyTooLarge } from "./errors.ts";
import { newId } from "./lib/ids.ts";
import { sleepWhileConnected } from "./lib/sleep.ts";
import { toLoggedRequest } from "./request-log.ts";
import type { State } from "./state.ts";

/** There are no rate limits, so the numbers never change. */
const RATE_LIMIT_HEADERS = {
  "x-ratelimit-limit-requests": "10000",
  "x-ratelimit-limit-tokens": "30000000",
  "x-ratelimit-remaining-requests": "9999",
  "x-ratelimit-remaining-tokens": "29999999",
  "x-ratelimit-reset-requests": "6ms",
  "x-ratelimit-reset-tokens": "0s",
};

/** Rejects a body that is larger than the setting `maxBodyBytes`, before it is read as a whole. */
export function limitBody({ settings }: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const maxSize = settings.maxBodyBytes;
    const onError = () => {
      throw bodyTooLarge(maxSize, c.req.header("content-length"));
    };
    return bodyLimit({ maxSize, onError })(c, next);
  };
}

/** Logs the request and sets OpenAI's response headers. */
export function logRequest({ requestLog, settings }: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    const requestId = newId("req");
    const loggedRequest = await toLoggedRequest(c.req, requestId);
    c.set("loggedRequest", loggedRequest);
    requestLog.add(loggedRequest);
    await next();
    if (c.get("neverResponds")) return;
    loggedRequest.status = c.res.status;
    c.header("x-request-id", requestId);
    c.header("openai-version", "2020-10-01");
    c.header("openai-processing-ms", String(Math.round(performance.now() - startedAt)));
    const createsResponse = c.req.method === "POST" && c.req.path === "/v1/responses";
    if (!createsResponse || !settings.rateLimitHeaders) return;
    for (const [name, value] of Object.entries(RATE_LIMIT_HEADERS)) c.header(name, value);
  };
}

/** Rejects a request without an API key, or with a wrong one. */
export function requireApiKey({ settings }: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = /^Bearer\s+(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) {
      throw new ApiError(401, "Missing bearer authentication in header", {
        code: "invalid_api_key",
      });
    }
    if (settings.apiKey !== null && key !== settings.apiKey) {
      const masked = key.length > 8 ? `${key.slice(0, 4)}****${key.slice(-4)}` : "****";
      throw new ApiError(401, `Incorrect API key provided: ${masked}.`, {
        code: "invalid_api_key",
      });
    }
    await next();
  };
}

/** Delays each response by the setting `latency`. */
export function addLatency({ settings }: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (settings.latency > 0) await sleepWhileConnected(c.env.outgoing, settings.latency / 1000);
    await next();
  };
}
