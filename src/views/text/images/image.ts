// Images in outputs, as data URLs or as plain base64. A page shows an image only when its first bytes prove its type: PNG, JPEG, GIF or WebP, never SVG or HTML.
import { readImageSize, type ImageSize } from "./image-size.ts";

/** A longer prefix is not searched for. */
const MAX_PREFIX_LENGTH = 200;
const DATA_URI = /^data:[\w.+/-]*(?:;[\w=.-]+)*;base64,/i;
/** Characters of base64 that most often contain the size: a JPEG's can come after a colour profile. */
const HEAD_BASE64_LENGTH = 32_000;

/** Bytes that contain every signature. */
const SIGNATURE_BYTES = 16;

export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** The first bytes of each type, as Latin-1. https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
const SIGNATURES: readonly [ImageType, (head: string) => boolean][] = [
  ["image/png", (head) => head.startsWith("\u0089PNG\r\n\u001a\n")],
  ["image/jpeg", (head) => head.startsWith("\u00ff\u00d8\u00ff")],
  ["image/gif", (head) => /^GIF8[79]a/.test(head)],
  ["image/webp", (head) => /^RIFF[^]{4}WEBPVP/.test(head)],
];

/** What is known of an image before it is decoded. */
export type ImageInfo = { type: ImageType; size: ImageSize | null };

/**
 * Detects the type and the size of an image.
 * @param source A data URL or base64, or its beginning.
 * @returns Null when a page doesn't show it.
 */
export function detectImage(source: string): ImageInfo | null {
  const bytes = decodeBase64(toBase64(source).slice(0, HEAD_BASE64_LENGTH));
  const head = String.fromCharCode(...(bytes?.subarray(0, SIGNATURE_BYTES) ?? []));
  const type = SIGNATURES.find(([, matches]) => matches(head))?.[0];
  return bytes === null || type === undefined ? null : { type, size: readImageSize(bytes) };
}

/**
 * Decodes an image.
 * @param source A data URL or base64.
 * @returns Null when a page doesn't show it.
 */
export function decodeImage(
  source: string,
): { type: ImageType; bytes: Uint8Array<ArrayBuffer> } | null {
  const info = detectImage(source);
  const bytes = decodeBase64(toBase64(source));
  return info === null || bytes === null ? null : { type: info.type, bytes };
}

/** The end of an image's file name. */
export function toExtension(type: ImageType): string {
  return type === "image/jpeg" ? "jpg" : type.slice("image/".length);
}

function toBase64(source: string): string {
  const prefix = DATA_URI.exec(source.slice(0, MAX_PREFIX_LENGTH))?.[0] ?? "";
  return source.slice(prefix.length);
}

function decodeBase64(base64: string): Uint8Array<ArrayBuffer> | null {
  const wholeGroups = base64.length - (base64.length % 4);
  try {
    const text = atob(base64.slice(0, wholeGroups));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
