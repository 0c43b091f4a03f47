/** The words of some lines, separated by spaces. */
export function toWordSet(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}
