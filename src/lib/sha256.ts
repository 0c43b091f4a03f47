// SHA-256 of texts and byte streams, in hexadecimal.

const encoder = new TextEncoder();

/** SHA-256 of a text in UTF-8. */
export function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", encoder.encode(text));
}

/** SHA-256 of a text in UTF-8, as 64 hexadecimal digits. */
export async function sha256Hex(text: string): Promise<string> {
  return new Uint8Array(await sha256(text)).toHex();
}

/**
 * SHA-256 of bytes that are too many to be joined.
 * @returns 64 hexadecimal digits, and the number of bytes.
 */
export async function sha256OfChunks(
  chunks: Iterable<Uint8Array>,
): Promise<{ digest: string; bytes: number }> {
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  let bytes = 0;
  for (const chunk of chunks) {
    await writer.write(chunk);
    bytes += chunk.byteLength;
  }
  await writer.close();
  return { digest: new Uint8Array(await stream.digest).toHex(), bytes };
}
