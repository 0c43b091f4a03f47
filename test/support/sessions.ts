// Browser sessions: the log-in, and cookies as the Worker signs them.
import { createHmac } from "node:crypto";
import type { World } from "./world.ts";

const AN_HOUR_SECONDS = 3_600;

/** When a cookie of the tests expires, as it says so. */
export const IN_AN_HOUR = String(Math.floor(Date.now() / 1000) + AN_HOUR_SECONDS);

/** Sends the form of the log-in. */
export function logIn(world: World, token: string, next = ""): Promise<Response> {
  return fetch(`${world.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ token, next }),
    headers: { accept: "text/html", origin: world.url },
  });
}

/** Returns the cookie that an answer sets. */
export function getCookie(answer: Response): string {
  return (answer.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
}

/** Returns a session cookie as the Worker would sign it with a token. */
export function signCookie(token: string, value = IN_AN_HOUR): string {
  const signature = createHmac("sha256", token).update(value).digest("base64");
  return `session=${encodeURIComponent(`${value}.${signature}`)}`;
}
