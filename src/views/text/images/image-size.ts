// The size of a picture, from the first bytes of its file.

export type ImageSize = { width: number; height: number };

/** Segments of a JPEG that have its size: the frame headers. */
const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Reads the size of a PNG, a GIF or a JPEG.
 * @param bytes The file, or its beginning.
 * @returns Null when it is not there.
 */
export function readImageSize(bytes: Uint8Array): ImageSize | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 24) return null;
  if (view.getUint32(0) === 0x89504e47) {
    return toSize(view.getUint32(16), view.getUint32(20));
  }
  if (view.getUint32(0) === 0x47494638) {
    return toSize(view.getUint16(6, true), view.getUint16(8, true));
  }
  return view.getUint16(0) === 0xffd8 ? readJpegSize(view) : null;
}

function readJpegSize(view: DataView): ImageSize | null {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff;) {
    if (isFrameHeader(view.getUint8(at + 1))) {
      return toSize(view.getUint16(at + 7), view.getUint16(at + 5));
    }
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return null;
}

function toSize(width: number, height: number): ImageSize | null {
  return width > 0 && height > 0 ? { width, height } : null;
}
