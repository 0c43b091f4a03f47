// The table that the benchmark prints, as Markdown.
import type { Measurement, Subject } from "./measurement.ts";

const SUBJECT_TITLES: [Subject, string][] = [
  ["recorder", "this Worker"],
  ["guide", "the guide's handler"],
  ["poller", "a polling client"],
  ["platform", "the platform"],
];

const PART_TITLES: Record<number, string> = {
  1: "Webhook",
  2: "Result",
  3: "Saturation",
  4: "Costs",
  5: "Growth",
  6: "Weight",
  7: "Reading",
  8: "Trigger",
  9: "Processor",
};

/** Gives the table's head. */
export function toTableHead(): string {
  const subjects = SUBJECT_TITLES.map(([, title]) => title);
  const titles = ["what", "unit", ...subjects, "guide", "platform", "aim"];
  return [titles, titles.map(() => "---")].map(toRow).join("\n");
}

/** Gives the table's rows, one for each measurement. */
export function toTableRows(measurements: readonly Measurement[]): string {
  const cells = measurements.map((measurement) => [
    `${PART_TITLES[measurement.part] ?? ""}: ${measurement.name}`,
    measurement.unit,
    ...SUBJECT_TITLES.map(([subject]) => formatFigure(measurement.values[subject])),
    formatRatio(measurement, "guide"),
    formatRatio(measurement, "platform"),
    formatAim(measurement),
  ]);
  return cells.map(toRow).join("\n");
}

function toRow(cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Says how many times as good this Worker is as the other subject. */
function formatRatio({ values, higherIsBetter }: Measurement, other: Subject): string {
  const mine = values.recorder;
  const theirs = values[other];
  if (mine === undefined || theirs === undefined || mine <= 0 || theirs <= 0) return "";
  return `× ${formatFigure(higherIsBetter === true ? mine / theirs : theirs / mine)}`;
}

function formatAim({ aim }: Measurement): string {
  if (aim === undefined) return "";
  return `${aim.text}: ${aim.met ? "met" : "**missed**"}`;
}

function formatFigure(value: number | undefined): string {
  if (value === undefined) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(Math.abs(value) >= 10 ? 3 : 2);
}
