import { expect, test } from "vitest";
import { lazy } from "../../../src/lib/lazy.ts";

test("lazy makes its value at the first call, and only once", () => {
  let calls = 0;
  const read = lazy(() => {
    calls += 1;
    return undefined;
  });
  expect(calls).toBe(0);
  expect([read(), read()]).toEqual([undefined, undefined]);
  expect(calls).toBe(1);
});
