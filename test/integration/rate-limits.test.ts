import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, TOKEN, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** Sends requests until one is answered 429. A new minute can begin in between: then as many pass again. */
async function sendUntilLimited(
  limit: number,
  send: () => Promise<Response>,
): Promise<{ passed: number; last: Response }> {
  for (let passed = 0; ; passed += 1) {
    const last = await send();
    if (last.status === 429 || passed > 2 * limit) return { passed, last };
    await last.body?.cancel();
  }
}

function logInFrom(address: string, token = "wrong", accept = "*/*"): Promise<Response> {
  return fetch(`${world.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ token }),
    headers: { origin: world.url, accept, "cf-connecting-ip": address },
  });
}

/** Sends a trigger that counts, and that starts nothing. */
function triggerBadRequest(): Promise<Response> {
  return world.request("/trigger", { method: "POST", body: "[]" });
}

test("POST /login lets ten attempts a minute from one address pass, and answers 429 to the next", async () => {
  const { passed, last } = await sendUntilLimited(10, () => logInFrom("203.0.113.1"));
  expect(passed).toBeGreaterThanOrEqual(10);
  expect(passed).toBeLessThanOrEqual(20);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "59"]);
  expect(await last.json()).toMatchObject({ error: { code: "too_many_logins" } });
});

test("POST /login answers 429 to the right token too, with a page, and not to another address", async () => {
  const logInWrongly = () => logInFrom("203.0.113.2");
  await sendUntilLimited(10, logInWrongly);
  const logInRightly = () => logInFrom("203.0.113.2", TOKEN, "text/html");
  const { last } = await sendUntilLimited(10, logInRightly);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "59"]);
  expect(last.headers.get("set-cookie")).toBeNull();
  expect(await last.text()).toContain("Too many attempts to log in");
  expect((await logInFrom("203.0.113.3", TOKEN)).status).toBe(303);
});

test("POST /login counts the addresses of one IPv6 network as one", async () => {
  let host = 0;
  const { passed } = await sendUntilLimited(10, () => logInFrom(`2001:db8::${(host += 1)}`));
  expect(passed).toBeLessThanOrEqual(20);
  expect((await logInFrom("2001:db8:0:1::1", TOKEN)).status).toBe(303);
});

test("POST /trigger and POST /v1/responses let a hundred triggers a minute pass, and the next starts nothing", async () => {
  const { passed, last } = await sendUntilLimited(100, triggerBadRequest);
  expect(passed).toBeGreaterThanOrEqual(100);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "59"]);
  expect(await last.json()).toMatchObject({ error: { code: "too_many_triggers" } });
  const body = JSON.stringify({ background: true, include: "not a list" });
  const held = await sendUntilLimited(100, () =>
    world.request("/v1/responses", { method: "POST", body }),
  );
  expect([held.last.status, held.last.headers.get("retry-after")]).toEqual([429, "59"]);
  expect(await held.last.json()).toMatchObject({
    error: { code: "rate_limit_exceeded", type: "rate_limit_error", param: null },
  });
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
});

test("POST /trigger by a form answers 429 with what was typed", async () => {
  const sendForm = async () => {
    await sendUntilLimited(100, triggerBadRequest);
    return world.request("/trigger", {
      method: "POST",
      body: new URLSearchParams({ input: "typed with care" }),
      headers: { accept: "text/html" },
    });
  };
  const { last } = await sendUntilLimited(3, sendForm);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "59"]);
  expect(await last.text()).toContain("typed with care");
});
