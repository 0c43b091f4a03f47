// What the pages compute, without a browser.
import { describe, expect, test } from "vitest";
import { detectImageType, decodeImage } from "../../../src/views/text/image.ts";
import { createTimeScale } from "../../../src/views/text/time-scale.ts";
import { formatAge, formatBytes, formatDuration } from "../../../src/views/text/format.ts";

const uri = (type: string, content: string) => `data:${type};base64,${btoa(content)}`;

describe("an output is shown as an image by its first bytes alone", () => {
  test.each([
    ["image/png", uri("text/html", "\u0089PNG\r\n\u001a\n rest")],
    ["image/jpeg", uri("image/png", "\u00ff\u00d8\u00ff\u00e0 rest")],
    ["image/gif", uri("image/gif", "GIF89a rest")],
    ["image/webp", uri("image/webp", "RIFF\u0001\u0002\u0003\u0004WEBPVP8 rest")],
    [null, uri("image/svg+xml", "<svg onload='alert(1)'>")],
    [null, uri("image/png", "<html><script>alert(1)</script>")],
    [null, "https://example.com/image.png"],
    [null, "data:image/png;base64,!!!"],
    [null, ""],
  ])("%s for %s", (kind, url) => {
    expect(detectImageType(url)).toBe(kind);
    expect(decodeImage(url)?.type ?? null).toBe(kind);
  });
});

describe("the line of time", () => {
  test("keeps the order, and stays inside", () => {
    const moments = [0, 1_000, 1_600, 6_600, 26_600, 86_600, 266_600, 566_600];
    const { toPercent, marks, isCompressed } = createTimeScale(moments);
    const places = moments.map(toPercent);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(Math.max(...places)).toBeLessThan(100);
    expect(marks.length).toBeGreaterThan(2);
    expect(isCompressed).toBe(true);
  });

  test("is even where nothing crowds", () => {
    const { toPercent, isCompressed } = createTimeScale([0, 1_000, 2_000]);
    expect(isCompressed).toBe(false);
    expect(toPercent(2_000) - toPercent(1_000)).toBeCloseTo(toPercent(1_000) - toPercent(0));
  });

  test("bears a run without any length", () => {
    expect(createTimeScale([0]).toPercent(0)).toBeGreaterThan(0);
  });
});

test("times and sizes read as people say them", () => {
  expect([400, 1_600, 59_000, 61_000, 3_600_000, 90_000_000].map(formatDuration)).toEqual([
    "0.4 s",
    "1.6 s",
    "59 s",
    "1 min 1 s",
    "1 h",
    "1 d 1 h",
  ]);
  expect([1, 999, 1_500, 5_000_000].map(formatBytes)).toEqual([
    "1 byte",
    "999 bytes",
    "1.5 KB",
    "5 MB",
  ]);
  expect(formatAge("2026-01-01T00:00:00Z", Date.parse("2026-01-01T02:30:00Z"))).toBe("2 h ago");
});
