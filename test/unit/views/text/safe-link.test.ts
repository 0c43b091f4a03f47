import { expect, test } from "vitest";
import type { FileEntry } from "../../../../src/record/schema.ts";
import { resolveLink } from "../../../../src/views/text/safe-link.ts";

const toFile = (filename: string, url: string | null, reason: string | null = null): FileEntry => ({
  id: `cfile_${filename}`,
  container_id: "cntr_1",
  filename,
  bytes: 1,
  url,
  reason,
});
const FILES = [
  toFile("a b.csv", "/results/resp_1/files/1"),
  toFile("twice.csv", "/results/resp_1/files/2"),
  toFile("twice.csv", null, "It is too large."),
  toFile("lost.csv", null, "It had expired already."),
];

test.each(["https://example.com/x?y#z", "http://example.com/", "HTTPS://EXAMPLE.COM/"])(
  "resolveLink leads to %s",
  (target) => {
    expect(resolveLink(target, [])).toEqual({ type: "web", href: new URL(target).href });
  },
);

test.each([
  "javascript:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,<script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://example.com/1",
  "/results",
  "//example.com",
  "#x",
  "https://",
  "",
])("resolveLink leads nowhere for %j", (target) => {
  expect(resolveLink(target, FILES)).toBeNull();
});

test.each([
  ["sandbox:/mnt/data/a%20b.csv", { type: "file", href: "/results/resp_1/files/1" }],
  ["sandbox:/mnt/data/a b.csv", { type: "file", href: "/results/resp_1/files/1" }],
  ["sandbox:/mnt/data/twice.csv", { type: "file", href: "/results/resp_1/files/2" }],
  ["sandbox:/mnt/data/lost.csv", { type: "lost", reason: "It had expired already." }],
  ["sandbox:/mnt/data/%zz", { type: "lost", reason: "This file was not copied." }],
])("resolveLink of %s is the copied file, or says why there is none", (target, link) => {
  expect(resolveLink(target, FILES)).toEqual(link);
});
