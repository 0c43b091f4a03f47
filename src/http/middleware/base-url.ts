// Answers requests whose base URL lacks `/v1`.
import type { MiddlewareHandler } from "hono";
import { Problem } from "../../errors.ts";
import { FORWARDED_PREFIXES } from "../v1/proxy.ts";
import type { App } from "./auth.ts";

/** Refuses the paths of OpenAI's API where the recorder does not have them. */
export const requireV1: MiddlewareHandler<App> = (c, next) => {
  const { origin, pathname } = new URL(c.req.url);
  if (!FORWARDED_PREFIXES.has(pathname.split("/")[1] ?? "")) return next();
  const message = `OpenAI's API is below /v1 here. Set the base URL ${origin}/v1, so that this request goes to ${origin}/v1${pathname}.`;
  throw new Problem("unknown_route", message);
};
