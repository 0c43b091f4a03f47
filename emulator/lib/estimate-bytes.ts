const BYTES_PER_VALUE = 16;

/** Estimates the memory of plain data: its strings, and a little for each value. It does not recurse, because a client may nest deeply. */
export function estimateBytes(data: unknown): number {
  const containers: object[] = [];
  let bytes = 0;
  const add = (value: unknown) => {
    bytes += BYTES_PER_VALUE;
    if (typeof value === "string") bytes += value.length;
    else if (typeof value === "object" && value !== null) containers.push(value);
  };
  add(data);
  for (let next = containers.pop(); next; next = containers.pop()) {
    if (Array.isArray(next)) next.forEach(add);
    else Object.values(next).forEach(add);
  }
  return bytes;
}
