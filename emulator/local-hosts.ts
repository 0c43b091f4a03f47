/** Decides which names of a server are this machine's, against DNS rebinding: a web page must not reach the emulator by a name of its own. */
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";
import type { State } from "./state.ts";

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** Rejects a request whose `Host` or `Origin` is not this machine's. https://en.wikipedia.org/wiki/DNS_rebinding */
export function requireLocalHost({ settings }: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    // The address by which the client reached the server is this machine's too, as with --host 0.0.0.0.
    const localAddress = toHostname(c.env.incoming.socket.localAddress ?? "");
    const names = new Set([
      ...LOOPBACK_NAMES,
      ...[settings.host, ...(settings.allowedHosts ?? "").split(",")].map(toHostname),
      localAddress,
    ]);
    const host = c.req.header("host") ?? "";
    if (!isNamed(names, `http://${host}`)) throw hostNotAllowed("Host", host);
    const origin = c.req.header("origin");
    if (origin !== undefined && !isNamed(names, origin)) {
      throw hostNotAllowed("Origin", origin);
    }
    await next();
  };
}

function isNamed(names: ReadonlySet<string>, origin: string): boolean {
  const hostname = parseHostname(origin);
  return hostname !== null && names.has(hostname);
}

/** Writes a name or an address as URLs have it. */
function toHostname(name: string): string {
  const address = name
    .trim()
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, "");
  return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}

/** The lower-case host name of an origin without credentials, path or query; null for any other text. */
function parseHostname(origin: string): string | null {
  const name = /^https?:\/\/(\[[\da-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d+)?$/i.exec(origin)?.[1];
  return name?.toLowerCase() ?? null;
}

function hostNotAllowed(header: string, value: string): ApiError {
  const message = `The emulator serves this machine only, and ${header} '${value}' is not one of its names. Allow others with the setting allowedHosts.`;
  return new ApiError(403, message, { code: "host_not_allowed" });
}
