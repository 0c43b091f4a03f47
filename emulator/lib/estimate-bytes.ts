const BYTES_PER_VALUE = 16;

/** Estimates the memory of plain data: its strings, and a little for each value. It does not recurse, because a client may nest deeply. */
export function estimateBytes(data: unknown): number {
  const values = [data];
  let bytes = 0;
  while (values.length > 0) {
    const value = values.pop();
    bytes += BYTES_PER_VALUE;
    if (typeof value === "string") bytes += value.length;
    if (typeof value !== "object" || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      bytes += key.length;
      values.push(member);
    }
  }
  return bytes;
}
