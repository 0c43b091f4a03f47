// Times and sizes in the units that people read.

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in milliseconds, as text. A negative one counts as zero. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10 * SECOND_MS) return `${formatDecimal(ms / SECOND_MS)} s`;
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return formatUnits(ms, MINUTE_MS, "min", SECOND_MS, "s");
  if (ms < DAY_MS) return formatUnits(ms, HOUR_MS, "h", MINUTE_MS, "min");
  return formatUnits(ms, DAY_MS, "d", HOUR_MS, "h");
}

/** An age in milliseconds, as text. A negative one counts as zero. */
export function formatAge(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s ago`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  return `${Math.floor(ms / DAY_MS)} d ago`;
}

/** The milliseconds between two ISO 8601 times; null when either is unknown. */
export function millisecondsBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Date.parse(to) - Date.parse(from);
}

/** An ISO 8601 time as its date and time of day in UTC. */
export function formatTime(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

/** The day of an ISO 8601 time in UTC, such as 26 Dec 2026. */
export function formatDay(at: string): string {
  const parts = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
  return new Date(at).toLocaleDateString("en-GB", parts);
}

/** An ISO 8601 time as its time of day in UTC. */
export function formatTimeOfDay(at: string): string {
  return `${at.slice(11, 19)} UTC`;
}

/** A whole number, its digits in groups of three. */
export function formatCount(value: number): string {
  return value.toLocaleString("en");
}

/** A part of a whole, as percent. What is not zero does not look like zero. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${formatDecimal(share * 100)} %`;
}

/** A number of bytes, as text with a decimal unit. */
export function formatBytes(count: number): string {
  if (count < 1_000) return `${count} ${count === 1 ? "byte" : "bytes"}`;
  if (count < 1_000_000) return `${formatDecimal(count / 1_000)} KB`;
  return `${formatDecimal(count / 1_000_000)} MB`;
}

function formatDecimal(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

function formatUnits(
  ms: number,
  bigMs: number,
  bigUnit: string,
  smallMs: number,
  smallUnit: string,
): string {
  const rest = Math.floor((ms % bigMs) / smallMs);
  const whole = `${Math.floor(ms / bigMs)} ${bigUnit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallUnit}`;
}
