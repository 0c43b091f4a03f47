import { expect, test } from "vitest";
import { toCatalogEntry, toCatalogRow } from "../../../../src/objects/catalog/row.ts";
import { DEFAULT_LIMITS } from "../../../../src/record/policy.ts";
import { createRecord } from "../../../../src/record/reducer.ts";
import { toRecorderParams } from "../../../../src/record/schema.ts";

const RECORD = createRecord(
  toRecorderParams({
    id: "resp_1",
    at: "2026-11-26T10:00:00.000Z",
    started_by: "trigger",
    policy: {
      deadline_seconds: 120,
      delays_seconds: [],
      record_external: true,
      retention_seconds: 86_400,
      limits: DEFAULT_LIMITS,
    },
    request: {
      input: [
        { role: "user", content: "an earlier question" },
        { role: "user", content: [{ type: "input_text", text: "\n Plot x\nas a line" }] },
        { role: "user", content: [{ type: "input_image" }] },
      ],
      metadata: { user: "a", response_recorder: "{}" },
    },
  }),
);

test("toCatalogRow takes the first line of the last text, and leaves the recorder's own metadata out", () => {
  expect(toCatalogRow(RECORD)).toMatchObject({
    first_line: "Plot x",
    metadata: { user: "a" },
    started_by: "trigger",
    held: false,
    calls: 0,
  });
});

test("toCatalogRow truncates long texts between characters", () => {
  const long = "🙂".repeat(1_200);
  const row = toCatalogRow({
    ...RECORD,
    status: long,
    model: long,
    metadata: { [long]: long },
    request: { input: long },
  });
  expect(row.status).toBe("🙂".repeat(64));
  expect(row.model).toBe("🙂".repeat(128));
  expect(row.first_line).toBe("🙂".repeat(120));
  expect(row.metadata).toEqual({ ["🙂".repeat(64)]: "🙂".repeat(512) });
});

test("toCatalogEntry measures from OpenAI's end until the record could be read, and never less than nothing", () => {
  const completed_at = "2026-11-26T10:00:05.000Z";
  const toReadable = (recorded_at: string | null, given = {}) =>
    toCatalogEntry({ ...RECORD, completed_at, recorded_at, ...given }, null, null).figures
      ?.readable_ms;
  expect(toReadable("2026-11-26T10:00:06.250Z")).toBe(1_250);
  expect(toReadable("2026-11-26T10:00:04.900Z")).toBe(0);
  expect(toReadable(null)).toBeNull();
  expect(toReadable("2026-11-26T10:00:06.250Z", { completed_at: null })).toBeNull();
});

test("toCatalogEntry leaves out the time of a run that was recorded because somebody asked for it", () => {
  const times = {
    completed_at: "2026-11-26T10:00:05.000Z",
    recorded_at: "2026-12-01T00:00:00.000Z",
  };
  const asked = { ...RECORD, ...times, started_by: "refetch" } as const;
  expect(toCatalogEntry(asked, null, null).figures?.readable_ms).toBeNull();
});
