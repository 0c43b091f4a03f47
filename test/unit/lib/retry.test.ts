import { expect, test } from "vitest";
import { retry, withTimeout } from "../../../src/lib/retry.ts";

/** Fails a number of times, then returns how often it was called. */
function failing(times: number): () => Promise<number> {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) throw new Error(`failure ${calls}`);
    return calls;
  };
}

test("retry returns the first success", async () => {
  expect(await retry([0, 0], failing(2))).toBe(3);
});

test("retry throws the last failure, after one call more than there are delays", async () => {
  await expect(retry([0, 0], failing(9))).rejects.toThrow("failure 3");
});

test("retry reports each failure, the last one included", async () => {
  const failures: unknown[] = [];
  await retry([0], failing(9), (error) => failures.push(String(error))).catch(() => undefined);
  expect(failures).toEqual(["Error: failure 1", "Error: failure 2"]);
});

test("withTimeout returns the value that comes in time, and the fallback for one that never comes", async () => {
  expect(await withTimeout(Promise.resolve("value"), 10_000, null)).toBe("value");
  expect(await withTimeout(new Promise(() => undefined), 1, "fallback")).toBe("fallback");
});

test("withTimeout throws what the promise throws", async () => {
  await expect(withTimeout(Promise.reject(new Error("broken")), 10_000, null)).rejects.toThrow(
    "broken",
  );
});
