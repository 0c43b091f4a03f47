// SHA-256 of what comes in pieces.

/**
 * The digest of some bytes.
 * @param chunks The bytes, in pieces.
 * @returns Hexadecimal, and how many bytes there were.
 */
export async function describe(
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
  return { digest: hex(new Uint8Array(await stream.digest)), bytes };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
