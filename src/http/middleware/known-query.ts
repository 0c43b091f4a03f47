// Refuses query parameters that a route does not have.
import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import { assertKnownParams } from "../../api/queries.ts";
import type { App } from "./auth.ts";

/**
 * Requires that every parameter of the query is one of the route's, given once.
 * @param query The route's; undefined when it has none.
 */
export function requireKnownQuery(query: z.ZodObject | undefined): MiddlewareHandler<App> {
  const known = Object.keys(query?.shape ?? {});
  return (c, next) => {
    assertKnownParams(known, [...new URL(c.req.url).searchParams.keys()]);
    return next();
  };
}
