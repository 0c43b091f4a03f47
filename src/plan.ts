// What to do next, and when. Pure: no I/O, no clock; the times are those in the record.
import { fold, isTerminal, type Channel, type Known, type Look } from "./record.ts";

/** Seconds after which a response whose end nobody saw is given up. */
const GIVE_UP = 24 * 60 * 60;
/** Seconds of nothing but 404 after which a response never seen counts as not found. */
const NOT_FOUND_AFTER = 60;
/** Seconds between two looks at the most, and where a response may be gone 10 minutes after its end. */
const LONGEST_GAP = { stored: 300, fleeting: 30 };
/** Above so many looks the gaps grow to the longest, so that an instance stays within its 1,024 steps. */
const MANY_LOOKS = 200;
/** So many looks are the end, whatever asks for more: each takes two of the 1,024 steps that an instance has at the least. */
const MOST_LOOKS = 490;

/** Settings that planning needs. */
export type Rules = {
  /** Seconds to wait for the webhook before looking without it. */
  deadline: number;
  /** Whether responses that other programs started are recorded. */
  strangers: boolean;
};

/** `after`: seconds to wait for an event before the look; 0 looks at once. */
export type Next =
  | { do: "look"; channel: Channel; after: number }
  | { do: "end"; verdict?: "not_found" | "abandoned" };

/**
 * What comes next for a response.
 * @param record What is known.
 * @param rules The settings.
 */
export function plan(record: Known, rules: Rules): Next {
  if (record.settled_at !== null || record.unwanted) return { do: "end" };
  if (isTerminal(record.status) && record.observations.length > 0) return { do: "end" };
  if (record.observations.length === 0) return firstLook(record, rules);
  if (neverFound(record)) return { do: "end", verdict: "not_found" };
  const left = GIVE_UP - elapsed(record);
  if (left <= 0 || record.observations.length >= MOST_LOOKS) {
    return { do: "end", verdict: "abandoned" };
  }
  return { do: "look", channel: "refetch", after: Math.min(gap(record), left) };
}

/**
 * Folds one look into the record, and says whether that settles it and when it was recorded.
 * @param record What was known before.
 * @param look What the look brought back.
 * @param rules The settings.
 */
export function advance(record: Known, look: Look, rules: Rules): Known {
  const after = settle(fold(record, look, rules.strangers), rules);
  return isNews(record, after) ? { ...after, recorded_at: look.observation.at } : after;
}

function settle(record: Known, rules: Rules): Known {
  const next = plan(record, rules);
  if (next.do !== "end" || record.settled_at !== null) return record;
  const at = record.observations.at(-1)?.at ?? record.started_at;
  return { ...record, verdict: next.verdict ?? record.verdict, settled_at: at };
}

/**
 * Whether a look changed what is worth storing.
 * @param before The record before the look.
 * @param after The record after it.
 */
export function isNews(before: Known, after: Known): boolean {
  if (after.unwanted || after.verdict === "pending") return false;
  if (before.verdict === "pending") return true;
  return newsOf(before) !== newsOf(after);
}

/** Whether the list shows a record: a test event's sample id is not something anyone ran. */
export function isListed(record: Known): boolean {
  if (record.created_at === null) return false;
  return !(record.started_by === "webhook" && record.verdict === "not_found");
}

function newsOf(record: Known): string {
  const calls = record.calls.map((call) => [call.id, call.state, call.verdict, call.source]);
  return JSON.stringify([
    record.status,
    record.verdict,
    calls,
    record.body,
    record.settled_at,
    record.error,
  ]);
}

function firstLook(record: Known, rules: Rules): Next {
  const told = record.webhook !== null || record.started_by === "look";
  return { do: "look", channel: "refetch", after: told ? 0 : rules.deadline };
}

function neverFound(record: Known): boolean {
  if (record.status !== null) return false;
  const times = record.observations.map((seen) => Date.parse(seen.at));
  const span = (Math.max(...times) - Math.min(...times)) / 1000;
  return span >= NOT_FOUND_AFTER && record.observations.every((seen) => seen.http_status === 404);
}

function elapsed(record: Known): number {
  const last = record.observations.at(-1);
  return last === undefined ? 0 : (Date.parse(last.at) - Date.parse(record.started_at)) / 1000;
}

function gap(record: Known): number {
  const longest = longestGap(record);
  if (record.refused && record.status !== null) return LONGEST_GAP.stored;
  if (record.refused && record.observations.at(-1)?.http_status !== 404) return LONGEST_GAP.stored;
  const grown = 2 ** Math.min(looksSinceWebhook(record), 10);
  return Math.min(Math.max(grown, record.retry_after ?? 0), longest);
}

function longestGap(record: Known): number {
  const fleeting = record.effective_store === false && record.observations.length < MANY_LOOKS;
  return fleeting ? LONGEST_GAP.fleeting : LONGEST_GAP.stored;
}

// A webhook means that the end is near: the gaps start over from it.
function looksSinceWebhook(record: Known): number {
  const since = record.webhook?.received_at;
  if (since === undefined) return record.observations.length;
  return record.observations.filter((seen) => seen.at >= since).length;
}
