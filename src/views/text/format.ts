// Times and sizes as people read them.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A length of time.
 * @param milliseconds How long; negative ones count as none.
 */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10 * SECOND) return `${trimmed(ms / SECOND)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  return pair(ms, DAY, "d", HOUR, "h");
}

/**
 * How long ago something was.
 * @param at Then.
 * @param now Now, in milliseconds.
 */
export function age(at: string, now: number): string {
  const ms = now - Date.parse(at);
  if (ms < MINUTE) return "just now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  return `${Math.floor(ms / DAY)} d ago`;
}

/**
 * The milliseconds from one time to another, or null when either is unknown.
 * @param from The earlier.
 * @param to The later.
 */
export function between(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Date.parse(to) - Date.parse(from);
}

/**
 * A moment, for reading: day and time in UTC.
 * @param at ISO 8601.
 */
export function moment(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

/**
 * A number of bytes.
 * @param count How many.
 */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} ${count === 1 ? "byte" : "bytes"}`;
  if (count < 1_000_000) return `${trimmed(count / 1_000)} KB`;
  return `${trimmed(count / 1_000_000)} MB`;
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  const whole = `${Math.floor(ms / big)} ${bigUnit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallUnit}`;
}
