import { expect, test } from "vitest";
import { breakError, toLostResponse } from "../../../../src/api/answers/lost-response.ts";
import { DEFAULT_LIMITS } from "../../../../src/record/policy.ts";
import { createRecord } from "../../../../src/record/reducer.ts";
import {
  BREAK_UNKNOWN,
  toRecorderParams,
  type StoredRecord,
} from "../../../../src/record/schema.ts";

const POLICY = {
  deadline_seconds: 120,
  delays_seconds: [],
  record_external: true,
  retention_seconds: 1_000,
  limits: DEFAULT_LIMITS,
};

function createHeld(changes: Partial<StoredRecord> = {}): StoredRecord {
  const params = toRecorderParams({
    id: "resp_1",
    at: "2026-11-27T00:00:10.500Z",
    started_by: "v1",
    policy: POLICY,
    request: { instructions: "Be brief.", tools: [{ type: "code_interpreter" }], temperature: 0 },
    connection: { id: "c", kind: "held" },
  });
  return { ...createRecord(params), model: "m", ...changes };
}

test("a response of which nothing but items came is failed, and repeats its request", () => {
  const record = createHeld({ held: { broke_at: "7 x.done" }, metadata: { mine: "1" } });
  const response = toLostResponse(record);
  expect(response).toMatchObject({
    id: "resp_1",
    object: "response",
    status: "failed",
    background: true,
    created_at: Date.parse("2026-11-27T00:00:10Z") / 1000,
    model: "m",
    instructions: "Be brief.",
    tools: [{ type: "code_interpreter" }],
    temperature: 0,
    top_p: 1,
    output: [],
    metadata: { mine: "1" },
  });
  expect(JSON.stringify(response["error"])).toContain("after event 7 x.done");
});

test("the error of a response that was not held says that its end was never seen", () => {
  const { error } = toLostResponse(createHeld({ held: null, background: true }));
  expect(JSON.stringify(error)).toContain("has not seen its end");
});

test("a connection that ended normally, is open or was closed by a cancel has no error", () => {
  expect(breakError(createHeld())).toBeNull();
  expect(breakError(createHeld({ held: null }))).toBeNull();
  const closed = createHeld({ held: { broke_at: "3 y" }, connection_closed: true });
  expect(breakError(closed)).toBeNull();
});

test("a break at an event that is not known is said as such", () => {
  const error = breakError(createHeld({ held: { broke_at: BREAK_UNKNOWN } }));
  expect(error?.message).toContain("after an event that is not known");
});
