import { afterAll, beforeAll, expect, test } from "vitest";
import { rateLimitKey } from "../../src/http/middleware/ip-prefix.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

type Ask = () => Promise<Response>;

/** Asks until it is too much. A minute may begin in between, and then as many pass again. */
async function untilRefused(limit: number, ask: Ask): Promise<{ passed: number; last: Response }> {
  for (let passed = 0; ; passed += 1) {
    const last = await ask();
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

function triggerNothing(): Promise<Response> {
  return world.ask("/trigger", { method: "POST", body: "[]" });
}

test("of the tries to log in from one address ten a minute pass", async () => {
  const { passed, last } = await untilRefused(10, () => logInFrom("203.0.113.1"));
  expect(passed).toBeGreaterThanOrEqual(10);
  expect(passed).toBeLessThanOrEqual(20);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await last.json()).toMatchObject({ error: { code: "too_many_logins" } });
});

test("then the right token is refused too, with a page, and another address is not", async () => {
  const wrong = () => logInFrom("203.0.113.2");
  await untilRefused(10, wrong);
  const right = () => logInFrom("203.0.113.2", TOKEN, "text/html");
  const { last } = await untilRefused(10, right);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(last.headers.get("set-cookie")).toBeNull();
  expect(await last.text()).toMatch(/Too many (attempts|tries) to log in/);
  expect((await logInFrom("203.0.113.3", TOKEN)).status).toBe(303);
});

test("the addresses of one IPv6 network count as one", async () => {
  let n = 0;
  const { passed } = await untilRefused(10, () => logInFrom(`2001:db8::${(n += 1)}`));
  expect(passed).toBeLessThanOrEqual(20);
  expect((await logInFrom("2001:db8:0:1::1", TOKEN)).status).toBe(303);
});

test.each([
  ["203.0.113.1", "203.0.113.1"],
  ["::ffff:203.0.113.1", "203.0.113.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"],
  ["2001:0DB8:0001:0002::", "2001:0db8:0001:0002"],
  ["2001:db8::5:6", "2001:0db8:0000:0000"],
  ["::1", "0000:0000:0000:0000"],
  ["", ""],
])("%s counts as %s", (address, network) => {
  expect(rateLimitKey(address)).toBe(network);
});

test("a hundred triggers a minute pass, here and below /v1, and the next starts nothing", async () => {
  const { passed, last } = await untilRefused(100, triggerNothing);
  expect(passed).toBeGreaterThanOrEqual(100);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await last.json()).toMatchObject({ error: { code: "too_many_triggers" } });
  const body = JSON.stringify({ background: true, include: "no list" });
  const held = await untilRefused(100, () => world.ask("/v1/responses", { method: "POST", body }));
  expect([held.last.status, held.last.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await held.last.json()).toMatchObject({
    error: { code: "rate_limit_exceeded", type: "rate_limit_error", param: null },
  });
  expect(await world.told("/requests")).toEqual([]);
});

test("a form that comes too soon keeps what was typed", async () => {
  const form = async () => {
    await untilRefused(100, triggerNothing);
    return world.ask("/trigger", {
      method: "POST",
      body: new URLSearchParams({ input: "typed with care" }),
      headers: { accept: "text/html" },
    });
  };
  const { last } = await untilRefused(3, form);
  expect([last.status, last.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await last.text()).toContain("typed with care");
});
