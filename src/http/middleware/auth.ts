// Who may come in: a bearer token, or in a browser the cookie gained at /login.
import type { Context, Next } from "hono";
import { csrf } from "hono/csrf";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { ACCESS_TOKEN, setting } from "../../config.ts";
import { Problem } from "../../errors.ts";

export type App = { Bindings: Env };

const COOKIE = "session";
const checkOrigin = csrf();
/** Seconds that a login lasts. */
const LIFETIME = 7 * 24 * 60 * 60;

/**
 * Lets a request pass that shows the access token or a session.
 * @throws Problem 401 without either, 503 when no token is configured.
 */
export async function door(c: Context<App, string>, next: Next): Promise<Response | void> {
  const token = setting(c.env, ACCESS_TOKEN);
  if (await showsToken(c)) return next();
  if (shownToken(c) === undefined && (await hasSession(c, token))) return sameSite(c, next);
  throw new Problem(
    401,
    "unauthorized",
    "Show the access token: Authorization: Bearer <ACCESS_TOKEN>, or log in at /login in a browser.",
  );
}

/**
 * Whether a request shows the access token itself.
 * @throws Problem 503 when none is configured.
 */
export async function showsToken(c: Context<App, string>): Promise<boolean> {
  const token = setting(c.env, ACCESS_TOKEN);
  const shown = shownToken(c);
  return shown !== undefined && isSame(shown, token);
}

function shownToken(c: Context<App, string>): string | undefined {
  return /^bearer +(.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/** Refuses what another site's page sends with this browser's cookie. */
export function sameSite(c: Context<App, string>, next: Next): Promise<Response | void> {
  return checkOrigin(c, next);
}

/**
 * Opens a session for whoever knows the token.
 * @param c The request's context.
 * @param shown What was typed.
 * @returns Whether it was the token.
 */
export async function logIn(c: Context<App>, shown: string): Promise<boolean> {
  const token = setting(c.env, ACCESS_TOKEN);
  if (!(await isSame(shown.trim(), token))) return false;
  const until = Math.floor(Date.now() / 1000) + LIFETIME;
  await setSignedCookie(c, COOKIE, String(until), token, {
    ...cookieOptions(c),
    httpOnly: true,
    sameSite: "Lax",
    maxAge: LIFETIME,
  });
  return true;
}

/** Ends the session of this browser. */
export function logOut(c: Context<App>): void {
  deleteCookie(c, COOKIE, cookieOptions(c));
}

// Signed with the token itself: a new token ends every session.
async function hasSession(c: Context<App>, token: string): Promise<boolean> {
  const until = await getSignedCookie(c, token, COOKIE, isSecure(c) ? "host" : undefined);
  return typeof until === "string" && Number(until) > Date.now() / 1000;
}

// A browser takes neither Secure nor __Host- over http, which is loopback only.
function cookieOptions(c: Context<App>): { path: string; secure: boolean; prefix?: "host" } {
  return isSecure(c) ? { path: "/", secure: true, prefix: "host" } : { path: "/", secure: false };
}

function isSecure(c: Context<App>): boolean {
  return new URL(c.req.url).protocol === "https:";
}

// Equal lengths, so that the comparison's time says nothing about either.
async function isSame(shown: string, token: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(shown), digest(token)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(value: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(value));
}
