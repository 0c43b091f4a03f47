// Pictures in outputs: which of them are shown, and their bytes. Only what its first bytes prove to be a picture, never SVG or HTML.

const DATA_URI = /^data:[\w.+/-]*(?:;[\w=.-]+)*;base64,/i;
const SIGNATURE_BYTES = 16;

type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** First bytes, as Latin-1. https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
const SIGNATURES: readonly [ImageType, (head: string) => boolean][] = [
  ["image/png", (head) => head.startsWith("\u0089PNG\r\n\u001a\n")],
  ["image/jpeg", (head) => head.startsWith("\u00ff\u00d8\u00ff")],
  ["image/gif", (head) => /^GIF8[79]a/.test(head)],
  ["image/webp", (head) => /^RIFF[^]{4}WEBPVP/.test(head)],
];

/**
 * What kind of picture a URL holds.
 * @param url An output's `url`.
 * @returns The media type, or null when it isn't a picture that is shown.
 */
export function detectImageType(url: string): ImageType | null {
  const head = decodeBase64(base64Payload(url)?.slice(0, (SIGNATURE_BYTES / 3 + 1) * 4) ?? "");
  if (head === null) return null;
  return SIGNATURES.find(([, fits]) => fits(head))?.[0] ?? null;
}

/**
 * A picture's bytes.
 * @param url An output's `url`.
 * @returns Null when it isn't a picture that is shown.
 */
export function decodeImage(
  url: string,
): { type: ImageType; bytes: Uint8Array<ArrayBuffer> } | null {
  const type = detectImageType(url);
  const text = decodeBase64(base64Payload(url) ?? "");
  if (type === null || text === null) return null;
  return { type, bytes: Uint8Array.from(text, (letter) => letter.charCodeAt(0)) };
}

function base64Payload(url: string): string | null {
  const prefix = DATA_URI.exec(url.slice(0, 200))?.[0];
  return prefix === undefined ? null : url.slice(prefix.length);
}

function decodeBase64(base64: string): string | null {
  const whole = base64.length - (base64.length % 4);
  try {
    return atob(base64.slice(0, whole));
  } catch {
    return null;
  }
}
