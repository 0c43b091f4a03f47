// The table that is printed, as Markdown.
import type { Line, Subject } from "./measurement.ts";

const COLUMNS: [Subject, string][] = [
  ["recorder", "this Worker"],
  ["guide", "the guide's handler"],
  ["poller", "a polling client"],
  ["floor", "the platform"],
];

const PARTS: Record<number, string> = {
  1: "Webhook",
  2: "Result",
  3: "Saturation",
  4: "Costs",
  5: "Growth",
  6: "Weight",
  7: "Reading",
};

/** The table's head. */
export function head(): string {
  const titles = ["what", "unit", ...COLUMNS.map(([, title]) => title), "guide", "platform", "aim"];
  return [titles, titles.map(() => "---")].map(rowOf).join("\n");
}

/** Lines of the table. */
export function rows(lines: readonly Line[]): string {
  const cells = lines.map((line) => [
    `${PARTS[line.part] ?? ""}: ${line.what}`,
    line.unit,
    ...COLUMNS.map(([name]) => figure(line.values[name])),
    ratio(line, "guide"),
    ratio(line, "floor"),
    line.aim === undefined ? "" : `${line.aim.text}: ${line.aim.met ? "met" : "**missed**"}`,
  ]);
  return cells.map(rowOf).join("\n");
}

function rowOf(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** How many times as good this Worker is. */
function ratio({ values, more }: Line, other: Subject): string {
  const mine = values.recorder;
  const theirs = values[other];
  if (mine === undefined || theirs === undefined || mine <= 0 || theirs <= 0) return "";
  return `× ${figure(more === true ? mine / theirs : theirs / mine)}`;
}

function figure(value: number | undefined): string {
  if (value === undefined) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(Math.abs(value) >= 10 ? 3 : 2);
}
