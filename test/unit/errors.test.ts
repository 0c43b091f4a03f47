import { expect, test } from "vitest";
import { Problem } from "../../src/errors.ts";

test("a Problem has the status and the title of its code", () => {
  const problem = new Problem("already_ended", "It has ended.");
  expect(problem).toMatchObject({ status: 409, title: "The run has ended already" });
  expect(problem.toJSON()).toEqual({ error: { code: "already_ended", message: "It has ended." } });
});

test("a refusal of OpenAI's passes through with its own status and code", () => {
  const upstream = { status: 429, code: "rate_limit_exceeded" } as const;
  const problem = new Problem("openai_refused", "Slow down.", { upstream, requestId: "req_1" });
  expect(problem.status).toBe(429);
  expect(problem.toJSON()).toEqual({
    error: { code: "rate_limit_exceeded", message: "Slow down.", request_id: "req_1" },
  });
});

test("a refusal of OpenAI's without a code is openai_refused", () => {
  const problem = new Problem("openai_refused", "No.", { upstream: { status: 404, code: null } });
  expect([problem.status, problem.code]).toEqual([404, "openai_refused"]);
});
