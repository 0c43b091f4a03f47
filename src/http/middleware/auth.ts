// Authentication: a bearer token, or in a browser the session cookie gained at /login.
import type { Context, Next } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { ACCESS_TOKEN, setting, settingsInPlace } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { sha256 } from "../../lib/sha256.ts";

export type App = {
  Bindings: Env;
  Variables: {
    /** What became of a background create of /v1, as its answer says it. */
    hold?: string;
  };
};

const COOKIE_NAME = "session";
const SESSION_SECONDS = 7 * 24 * 60 * 60;
/** Methods that change nothing. */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Requires the access token or a session.
 * @throws Problem 401 without either, 503 when no token is configured.
 */
export async function requireAuth(c: Context<App, string>, next: Next): Promise<Response | void> {
  const token = setting(c.env, ACCESS_TOKEN);
  if (await hasValidToken(c)) return next();
  if (bearerToken(c) === undefined && (await hasSession(c, token))) return requireSameSite(c, next);
  throw new Problem(
    "unauthorized",
    "Missing or invalid access token. Send Authorization: Bearer <ACCESS_TOKEN>, or log in at /login in a browser.",
  );
}

/**
 * Whether a request carries the access token itself.
 * @throws Problem 503 when none is configured.
 */
export async function hasValidToken(c: Context<App, string>): Promise<boolean> {
  const token = setting(c.env, ACCESS_TOKEN);
  const given = bearerToken(c);
  return given !== undefined && isEqualSecret(given, token);
}

function bearerToken(c: Context<App, string>): string | undefined {
  return /^bearer +(.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/**
 * Rejects what another site's page sends with this browser's cookie, by any method that changes something.
 * @throws Problem 403 when the browser does not say that the request comes from here.
 */
export function requireSameSite(c: Context<App, string>, next: Next): Promise<void> {
  const origin = c.req.header("origin");
  const isOurs =
    origin === undefined
      ? c.req.header("sec-fetch-site") === "same-origin"
      : origin === new URL(c.req.url).origin;
  if (isOurs || SAFE_METHODS.has(c.req.method)) return next();
  const message = "The request came from another site. Use this site's own pages.";
  throw new Problem("cross_site", message);
}

/** Forbids every cache to keep an answer that needed a token, the browser's own after a log-out included. */
export function noStore(c: Context<App>, next: Next): Promise<void> {
  c.header("cache-control", "private, no-store");
  return next();
}

/**
 * Opens a session when the token is right.
 * @param given The token as it was typed.
 * @returns Whether it was right.
 */
export async function logIn(c: Context<App>, given: string): Promise<boolean> {
  const token = setting(c.env, ACCESS_TOKEN);
  if (!(await isEqualSecret(given.trim(), token))) return false;
  const expiresAt = Math.floor(Date.now() / 1000) + SESSION_SECONDS;
  await setSignedCookie(c, COOKIE_NAME, String(expiresAt), token, {
    ...cookieOptions(c),
    httpOnly: true,
    sameSite: "Lax",
    maxAge: SESSION_SECONDS,
  });
  return true;
}

/** Ends the session of this browser. */
export function logOut(c: Context<App>): void {
  deleteCookie(c, COOKIE_NAME, cookieOptions(c));
}

/** Whether this browser has a session. */
export async function isLoggedIn(c: Context<App>): Promise<boolean> {
  if (settingsInPlace(c.env)[ACCESS_TOKEN.name] !== true) return false;
  return hasSession(c, setting(c.env, ACCESS_TOKEN));
}

// The cookie is signed with the token itself: a new token ends every session.
async function hasSession(c: Context<App>, token: string): Promise<boolean> {
  const expiresAt = await getSignedCookie(c, token, COOKIE_NAME, isHttps(c) ? "host" : undefined);
  return typeof expiresAt === "string" && Number(expiresAt) > Date.now() / 1000;
}

// Browsers accept neither Secure nor __Host- over http, which is loopback only.
function cookieOptions(c: Context<App>): { path: string; secure: boolean; prefix?: "host" } {
  return isHttps(c) ? { path: "/", secure: true, prefix: "host" } : { path: "/", secure: false };
}

function isHttps(c: Context<App>): boolean {
  return new URL(c.req.url).protocol === "https:";
}

// Digests have equal lengths, so the time of the comparison reveals nothing about either secret.
async function isEqualSecret(given: string, token: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(token)]);
  return crypto.subtle.timingSafeEqual(a, b);
}
