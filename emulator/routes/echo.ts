import type { Context } from "hono";
import type { AppEnv } from "../app-env.ts";
import { unknownUrl } from "../errors.ts";
import { redactHeaders } from "../request-log.ts";
import type { State } from "../state.ts";

/** Responds to a path that is no route. With the setting `echo` it returns the request, for tests of a proxy; otherwise it throws the API's 404. */
export function echoRequest({ settings }: State): (c: Context<AppEnv>) => Promise<Response> {
  return async (c) => {
    const { method, path } = c.req;
    if (!settings.echo) throw unknownUrl(method, path);
    const headers = redactHeaders(c.req.header());
    const body = parseJsonOrText(await c.req.text());
    return c.json({ method, path, query: c.req.queries(), headers, body });
  };
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
