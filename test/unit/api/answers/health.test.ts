import { expect, test } from "vitest";
import {
  checkNotifications,
  checkPending,
  checkWebhooks,
  type HealthCheck,
} from "../../../../src/api/answers/health.ts";
import type { RecentRun } from "../../../../src/objects/catalog/health.ts";

const NOW_MS = Date.parse("2026-11-27T12:00:00Z");
const HOUR_MS = 60 * 60 * 1000;
const WEBHOOK_AT = NOW_MS - 2 * HOUR_MS;

/** A background run that ended an hour ago without its webhook, except for what is given. */
function createRun(run: Partial<RecentRun> = {}): RecentRun {
  const completed_at = new Date(NOW_MS - HOUR_MS).toISOString();
  const unreported = { held: false, started_by: "trigger", completed_at, webhook_at: null };
  return { id: "resp_1", ...unreported, ...run };
}

const REPORTED = createRun({ webhook_at: WEBHOOK_AT });

const HEALTHY: [string, RecentRun[]][] = [
  ["no run at all", []],
  ["one run of three reported", [createRun(), createRun(), REPORTED]],
  ["only held runs", [createRun({ held: true })]],
  ["only runs whose id somebody asked for", [createRun({ started_by: "refetch" })]],
  ["only runs in flight", [createRun({ completed_at: null })]],
  [
    "a run that ended just now",
    [createRun({ completed_at: new Date(NOW_MS - 60_000).toISOString() })],
  ],
];

test.each(HEALTHY)("webhooks are well with %s", (_, recent) => {
  expect(checkWebhooks(recent, NOW_MS).ok).toBe(true);
});

const BROKEN: [string, RecentRun[]][] = [
  ["one run, and no webhook", [createRun()]],
  ["three runs without theirs", [createRun(), createRun(), createRun(), REPORTED]],
  [
    "three runs without theirs among others",
    [
      createRun({ held: true }),
      createRun(),
      createRun({ completed_at: null }),
      createRun(),
      createRun(),
      REPORTED,
    ],
  ],
];

test.each(BROKEN)("webhooks fail with %s", (_, recent) => {
  expect(checkWebhooks(recent, NOW_MS)).toMatchObject({ ok: false, id: "resp_1" });
});

test("the time of the last webhook is said, also when later runs had none", () => {
  const at = new Date(WEBHOOK_AT).toISOString();
  expect(checkWebhooks([createRun(), REPORTED], NOW_MS)).toMatchObject({ ok: true, at });
  const runs = [createRun(), createRun(), createRun(), REPORTED];
  expect(checkWebhooks(runs, NOW_MS)).toMatchObject({ ok: false, at });
});

test("a run in flight fails an hour after the day in which it is given up", () => {
  const check = (hours: number) =>
    checkPending({ oldestPending: { id: "a", startedAtMs: NOW_MS - hours * HOUR_MS } }, NOW_MS);
  expect(check(24.9)).toMatchObject({ ok: true, id: "a" });
  expect(check(25.1)).toMatchObject({ ok: false, id: "a" });
  expect(checkPending({ oldestPending: null }, NOW_MS)).toMatchObject({ ok: true, id: null });
});

function checkFailing(count: number, isConfigured = true): HealthCheck {
  const newest = count === 0 ? null : "a";
  return checkNotifications({ failingNotifications: { count, newest } }, isConfigured);
}

test("notifications fail while one is tried again", () => {
  expect(checkFailing(0)).toMatchObject({ ok: true });
  expect(checkFailing(0, false).message).toContain("not set");
  expect(checkFailing(1)).toMatchObject({ ok: false, id: "a" });
  expect(checkFailing(1).message).toContain("1 run.");
  expect(checkFailing(2).message).toContain("2 runs.");
});
