// Images in outputs. A page shows an image only when its first bytes prove its type: PNG, JPEG, GIF or WebP, never SVG or HTML.

/** A longer prefix is not searched for. */
const MAX_PREFIX_LENGTH = 200;
const DATA_URI = /^data:[\w.+/-]*(?:;[\w=.-]+)*;base64,/i;
/** Characters of base64 that contain every signature below. */
const SIGNATURE_BASE64_LENGTH = 24;

type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** The first bytes of each type, as Latin-1. https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
const SIGNATURES: readonly [ImageType, (head: string) => boolean][] = [
  ["image/png", (head) => head.startsWith("\u0089PNG\r\n\u001a\n")],
  ["image/jpeg", (head) => head.startsWith("\u00ff\u00d8\u00ff")],
  ["image/gif", (head) => /^GIF8[79]a/.test(head)],
  ["image/webp", (head) => /^RIFF[^]{4}WEBPVP/.test(head)],
];

/**
 * Detects the type of the image in a data URL.
 * @returns Null when a page doesn't show it.
 */
export function detectImageType(url: string): ImageType | null {
  const head = decodeBase64(findBase64Payload(url)?.slice(0, SIGNATURE_BASE64_LENGTH) ?? "");
  if (head === null) return null;
  return SIGNATURES.find(([, matches]) => matches(head))?.[0] ?? null;
}

/**
 * Decodes the image in a data URL.
 * @returns Null when a page doesn't show it.
 */
export function decodeImage(
  url: string,
): { type: ImageType; bytes: Uint8Array<ArrayBuffer> } | null {
  const type = detectImageType(url);
  const text = decodeBase64(findBase64Payload(url) ?? "");
  if (type === null || text === null) return null;
  return { type, bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)) };
}

function findBase64Payload(url: string): string | null {
  const prefix = DATA_URI.exec(url.slice(0, MAX_PREFIX_LENGTH))?.[0];
  return prefix === undefined ? null : url.slice(prefix.length);
}

function decodeBase64(base64: string): string | null {
  const wholeGroups = base64.length - (base64.length % 4);
  try {
    return atob(base64.slice(0, wholeGroups));
  } catch {
    return null;
  }
}
