import { expect, test } from "vitest";
import { toLoginKey, toTriggerKey } from "../../../../src/http/middleware/rate-limit-key.ts";

/** A Worker of the account. Cloudflare derives the ids of objects from the Worker's namespace and a name. */
function createRecorder(namespace: string) {
  const idFromName = (name: string) => `${namespace}(${name})`;
  return { CATALOG: { idFromName }, ACCESS_TOKEN: "the token of both" };
}

const first = createRecorder("first");
const second = createRecorder("second");
const ADDRESS = "203.0.113.1";

test("two recorders in one account have other keys for triggers and for log-ins from one address, also with one access token", () => {
  expect(toTriggerKey(first)).not.toBe(toTriggerKey(second));
  expect(toLoginKey(first, ADDRESS)).not.toBe(toLoginKey(second, ADDRESS));
});

test("a recorder has one key for its triggers, and one for the log-ins from each address or IPv6 network", () => {
  expect(toTriggerKey(first)).toBe("first(rate limits)");
  expect(toLoginKey(first, ADDRESS)).toBe("first(rate limits) 203.0.113.1");
  expect(toLoginKey(first, "2001:db8::5:6")).toBe("first(rate limits) 2001:0db8:0000:0000");
  expect(toLoginKey(first, "")).toBe("first(rate limits) ");
});
