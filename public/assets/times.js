// Shows times in the reader's time zone, with UTC in their titles, and lets ages go on.

/** Where the time of day begins in `2026-11-27 08:12:03`. */
const TIME_OF_DAY = 11;
const AGE_TICK_MS = 1_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** When each age was first seen, by the page's own clock. */
/** @type {WeakMap<Element, number>} */
const seenAtMs = new WeakMap();

/** Formats an age as the server does. @param {number} ms */
function formatAge(ms) {
  if (ms < MINUTE_MS) return `${Math.floor(Math.max(0, ms) / SECOND_MS)} s ago`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ago`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ago`;
  return `${Math.floor(ms / DAY_MS)} d ago`;
}

/**
 * Formats a time as `2026-11-27 08:12:03`, in the reader's time zone. Swedish has this format.
 * @param {Date} date
 */
function formatLocal(date) {
  return date.toLocaleString("sv-SE");
}

/** @param {HTMLTimeElement} time An element whose text is a time in UTC, or something else that its title explains. */
function localize(time) {
  const date = new Date(time.dateTime);
  if (time.dataset["local"] !== undefined || Number.isNaN(date.getTime())) return;
  const utc = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const local = formatLocal(date);
  time.dataset["local"] = local;
  const text = time.textContent ?? "";
  const isInUtc = text === utc || text === utc.slice(TIME_OF_DAY);
  if (isInUtc) time.textContent = text === utc ? local : local.slice(TIME_OF_DAY);
  time.title = isInUtc ? utc : `${local} (${utc})`;
}

/** Shows the times of the page that are not shown in the reader's time zone yet. */
export function localizeTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    if (time instanceof HTMLTimeElement) localize(time);
  }
  tickAges();
}

function tickAges() {
  const nowMs = performance.now();
  for (const time of document.querySelectorAll("time[data-age]")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const fromMs = seenAtMs.get(time) ?? nowMs;
    seenAtMs.set(time, fromMs);
    const text = formatAge(Number(time.dataset["age"]) + nowMs - fromMs);
    if (time.textContent !== text) time.textContent = text;
  }
}

localizeTimes();
setInterval(tickAges, AGE_TICK_MS);
