import { expect, test } from "vitest";
import { decodeImage, detectImage } from "../../../../../src/views/text/images/image.ts";

const dataUrl = (type: string, content: string) => `data:${type};base64,${btoa(content)}`;

test.each([
  ["image/png", dataUrl("text/html", "\u0089PNG\r\n\u001a\n rest")],
  ["image/jpeg", dataUrl("image/png", "\u00ff\u00d8\u00ff\u00e0 rest")],
  ["image/gif", dataUrl("image/gif", "GIF89a rest")],
  ["image/webp", dataUrl("image/webp", "RIFF\u0001\u0002\u0003\u0004WEBPVP8 rest")],
  [null, dataUrl("image/svg+xml", "<svg onload='alert(1)'>")],
  [null, dataUrl("image/png", "<html><script>alert(1)</script>")],
  [null, "https://example.com/image.png"],
  [null, "data:image/png;base64,!!!"],
  [null, ""],
])("detectImage finds %s by the first bytes alone in %s", (type, url) => {
  expect(detectImage(url)?.type ?? null).toBe(type);
  expect(decodeImage(url)?.type ?? null).toBe(type);
});
