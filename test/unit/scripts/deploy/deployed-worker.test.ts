import { expect, test } from "vitest";
import { parseTargets, parseWorkerUrl } from "../../../../scripts/deploy/deployed-worker.ts";

const SESSION = JSON.stringify({ type: "wrangler-session" });

function toReport(deploy: object): string {
  return `${SESSION}\n${JSON.stringify({ type: "deploy", ...deploy })}\n`;
}

test("parseTargets gives the targets of wrangler's report", () => {
  const targets = ["runs.acme.workers.dev", "schedule: */5 * * * *"];
  expect(parseTargets(toReport({ version_id: "v1", targets }))).toEqual(targets);
  expect(parseTargets(toReport({ version_id: "v1" }))).toEqual([]);
});

test.each([{ version_id: null }, {}])(
  "parseTargets throws when wrangler's report has no version: %j",
  (deploy) => {
    expect(() => parseTargets(toReport(deploy))).toThrow("answered with no");
  },
);

test.each([
  {
    targets: ["runs.acme.workers.dev", "schedule: 0 3 * * *"],
    url: "https://runs.acme.workers.dev",
  },
  { targets: ["runs.example.com (custom domain)"], url: "https://runs.example.com" },
  { targets: ["example.com/runs/*", "runs.example.com/*"], url: "https://runs.example.com" },
])("parseWorkerUrl finds $url in $targets", ({ targets, url }) => {
  expect(parseWorkerUrl(targets)).toBe(url);
});

test("parseWorkerUrl throws when no target is a whole host", () => {
  expect(() => parseWorkerUrl(["example.com/runs/*"])).toThrow("--url");
});
