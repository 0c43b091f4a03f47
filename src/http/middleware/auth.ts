// Authentication: a bearer token, or in a browser the session cookie gained at /login. Each of the two tokens opens its own routes.
import type { Context, Next } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { ACCESS_TOKEN, findReadToken, setting, settingsInPlace } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { sha256 } from "../../lib/sha256.ts";

/** What a caller may do: everything with ACCESS_TOKEN, and only read with READ_TOKEN. */
export type Access = "all" | "read";

export type App = {
  Bindings: Env;
  Variables: {
    /** The caller's; undefined on public routes. */
    access?: Access;
    /** What became of a background create of /v1, as its answer says it. */
    hold?: string;
  };
};

const COOKIE_NAME = "session";
const SESSION_SECONDS = 7 * 24 * 60 * 60;
/** Methods that change nothing. */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Requires a token or a session.
 * @throws Problem 401 without either, 503 when no access token is configured.
 */
export async function requireAuth(c: Context<App>, next: Next): Promise<Response | void> {
  const access = await identifyCaller(c);
  if (access === null) throw unauthorized();
  c.set("access", access);
  return bearerToken(c) === undefined ? requireSameSite(c, next) : next();
}

/** The refusal of a caller without a token. */
export function unauthorized(): Problem {
  return new Problem(
    "unauthorized",
    "Missing or invalid access token. Send Authorization: Bearer <ACCESS_TOKEN>, or log in at /login in a browser.",
  );
}

/** What the token or the session of a public route's caller opens; null without one, and when no access token is configured. */
export async function identifyVisitor(c: Context<App>): Promise<Access | null> {
  if (settingsInPlace(c.env)[ACCESS_TOKEN.name] !== true) return null;
  const access = await identifyCaller(c);
  if (access !== null) c.set("access", access);
  return access;
}

/**
 * Requires more than READ_TOKEN.
 * @throws Problem 403 `read_only`.
 */
export function requireWriteAccess(c: Context<App>, next: Next): Promise<void> {
  if (c.get("access") === "all") return next();
  throw readOnly("READ_TOKEN reads, and starts, changes or deletes nothing.");
}

/** The refusal of something that READ_TOKEN does not open. */
export function readOnly(reason: string): Problem {
  return new Problem("read_only", `${reason} Use ACCESS_TOKEN for it.`);
}

/**
 * What the token of a request opens; null when it carries none, or a wrong one.
 * @throws Problem 503 when no access token is configured.
 */
export async function identifyToken(c: Context<App>): Promise<Access | null> {
  const given = bearerToken(c) ?? "";
  return findAccess(c.env, (token) => isEqualSecret(given, token));
}

// A wrong token counts, even with a session.
function identifyCaller(c: Context<App>): Promise<Access | null> {
  if (bearerToken(c) !== undefined) return identifyToken(c);
  return findAccess(c.env, (token) => hasSession(c, token));
}

async function findAccess(
  env: Env,
  isRight: (token: string) => Promise<boolean>,
): Promise<Access | null> {
  if (await isRight(setting(env, ACCESS_TOKEN))) return "all";
  const readToken = findReadToken(env);
  return readToken !== null && (await isRight(readToken)) ? "read" : null;
}

function bearerToken(c: Context<App>): string | undefined {
  return /^bearer +(.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/**
 * Rejects what another site's page sends with this browser's cookie, by any method that changes something.
 * @throws Problem 403 when the browser does not say that the request comes from here.
 */
export function requireSameSite(c: Context<App>, next: Next): Promise<void> {
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
 * @returns What it opens; null when it was wrong.
 */
export async function logIn(c: Context<App>, given: string): Promise<Access | null> {
  const token = given.trim();
  const access = await findAccess(c.env, (right) => isEqualSecret(token, right));
  if (access === null) return null;
  const expiresAt = Math.floor(Date.now() / 1000) + SESSION_SECONDS;
  await setSignedCookie(c, COOKIE_NAME, String(expiresAt), token, {
    ...cookieOptions(c),
    httpOnly: true,
    sameSite: "Lax",
    maxAge: SESSION_SECONDS,
  });
  return access;
}

/** Ends the session of this browser. */
export function logOut(c: Context<App>): void {
  deleteCookie(c, COOKIE_NAME, cookieOptions(c));
}

// The cookie is signed with the token itself: it opens what the token opens, and a new token ends every session.
async function hasSession(c: Context<App>, token: string): Promise<boolean> {
  const expiresAt = await getSignedCookie(
    c,
    token,
    COOKIE_NAME,
    isHttps(c.req.url) ? "host" : undefined,
  );
  return typeof expiresAt === "string" && Number(expiresAt) > Date.now() / 1000;
}

// Browsers accept neither Secure nor __Host- over http, which is loopback only.
function cookieOptions(c: Context<App>): { path: string; secure: boolean; prefix?: "host" } {
  return isHttps(c.req.url)
    ? { path: "/", secure: true, prefix: "host" }
    : { path: "/", secure: false };
}

function isHttps(url: string): boolean {
  return new URL(url).protocol === "https:";
}

// Digests have equal lengths, so the time of the comparison reveals nothing about either secret.
async function isEqualSecret(given: string, token: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(token)]);
  return crypto.subtle.timingSafeEqual(a, b);
}
