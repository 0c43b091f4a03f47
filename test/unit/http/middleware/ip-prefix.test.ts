import { expect, test } from "vitest";
import { rateLimitKey } from "../../../../src/http/middleware/ip-prefix.ts";

test.each([
  ["203.0.113.1", "203.0.113.1"],
  ["::ffff:203.0.113.1", "203.0.113.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"],
  ["2001:0DB8:0001:0002::", "2001:0db8:0001:0002"],
  ["2001:db8::5:6", "2001:0db8:0000:0000"],
  ["::1", "0000:0000:0000:0000"],
  ["", ""],
])("rateLimitKey maps %j to %j", (address, key) => {
  expect(rateLimitKey(address)).toBe(key);
});
