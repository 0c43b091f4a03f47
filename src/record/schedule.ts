// What to do next, and when. Pure: no I/O, no clock; the times are those in the record.
import { fold, foldControl, isTerminal } from "./reducer.ts";
import { LOST, type Channel, type Known, type Look, type Wake, type Rules } from "./schema.ts";

/** Seconds after which a response whose end nobody saw is given up. */
const GIVE_UP = 24 * 60 * 60;
/** How often another channel is tried, and seconds between. */
const MOST_TRIES = 3;
const TRY_AGAIN = 5;
/** Seconds after its webhook in which a response of ours is handed over by its trigger, if that lives. */
const HAND_OVER = 10;
/** Seconds of nothing but 404 after which a response never seen counts as not found. */
const NOT_FOUND_AFTER = 60;
/** Seconds between two looks at the most, and where a response may be gone 10 minutes after its end. */
const LONGEST_GAP = { stored: 300, fleeting: 30 };
/** Above so many looks the gaps grow to the longest, so that an instance stays within its 1,024 steps. */
const MANY_LOOKS = 120;
/** So many looks are the end, whatever asks for more: each takes two of the 1,024 steps that an instance has at the least, files the rest. */
const MOST_LOOKS = 420;
/** So often a Recorder is woken after the end; each time takes a step. */
const MOST_WAKES = 100;

/** Where OpenAI keeps a response for 10 minutes only, seconds after its end at which the last look is planned. */
const FLEETING = 570;

/** While a connection is held, seconds between looks beside it: its Holder may have died without a word. */
const BESIDE = 300;
/** Seconds that a Holder has to say how its connection ended, once the response is known to have ended. */
const LAST_WORD = 60;

/** `after`: seconds to wait for an event before the look; 0 looks at once. */
export type Next =
  | { do: "look"; channel: Channel; after: number }
  | { do: "await control" }
  | { do: "end"; verdict?: "not_found" | "abandoned" };

const END: Next = { do: "end" };

/**
 * What comes next for a response.
 * @param record What is known.
 * @param rules The settings.
 */
export function plan(record: Known, rules: Rules): Next {
  if (record.unwanted) return END;
  const looks = looksOf(record);
  if (record.look_now && looks.length < MOST_LOOKS) return now("refetch");
  if (record.settled_at !== null) return END;
  if (isTerminal(record.status) && looks.length > 0) return afterEnd(record, rules);
  if (looks.length === 0 && !record.held_due) return firstLook(record, rules);
  if (neverFound(record)) return { do: "end", verdict: "not_found" };
  const left = GIVE_UP - elapsed(record);
  if (left <= 0 || looks.length >= MOST_LOOKS) return { do: "end", verdict: "abandoned" };
  const wait = record.held_due ? BESIDE : gap(record);
  return {
    do: "look",
    channel: "refetch",
    after: Math.min(Math.max(0, wait - sinceLook(record)), left),
  };
}

// Outputs that are missing though the code should have shown something are looked for everywhere, then again and again.
function afterEnd(record: Known, rules: Rules): Next {
  if (record.held_due) return { do: "look", channel: "held", after: LAST_WORD };
  if (record.awaits_trigger) {
    return { do: "look", channel: "refetch", after: Math.max(0, HAND_OVER - sinceLook(record)) };
  }
  const missing = record.calls.some(
    (call) => call.verdict === "suspect" || call.verdict === "lost",
  );
  if (missing && record.replay && !tried(record, "stream")) return other("stream", record);
  if (missing && record.conversation !== null && !tried(record, "conversation")) {
    return other("conversation", record);
  }
  const next = missing ? nextAgain(record, rules) : null;
  if (next !== null) return { do: "look", channel: "refetch", after: next };
  return record.control_due ? { do: "await control" } : END;
}

function nextAgain(record: Known, rules: Rules): number | null {
  if (looksOf(record).length >= MOST_LOOKS || record.wakes >= MOST_WAKES) return null;
  const looked = sinceEnd(record, Date.parse(looksOf(record).at(-1)?.at ?? record.started_at));
  const since = sinceEnd(record, latest(record));
  const last = record.effective_store === false ? FLEETING : Number.POSITIVE_INFINITY;
  let moment = 0;
  for (const seconds of rules.again) {
    moment += seconds;
    if (moment > looked && moment <= last) return Math.max(0, moment - since);
  }
  return null;
}

// Seconds from the end to a moment in milliseconds. A response can lack completed_at, as a failed one does.
function sinceEnd(record: Known, moment: number): number {
  const end = record.completed_at ?? looksOf(record).find((seen) => isTerminal(seen.status))?.at;
  return end === undefined ? 0 : (moment - Date.parse(end)) / 1000;
}

// The latest moment that the record knows of, in milliseconds. Times are written alike, so that text compares as they do.
function latest({ started_at, woken_at, observations }: Known): number {
  const known = woken_at !== null && woken_at > started_at ? woken_at : started_at;
  return Date.parse(observations.reduce((last, { at }) => (at > last ? at : last), known));
}

// Seconds since the last look: a control's end, or a webhook, can come between two looks.
function sinceLook(record: Known): number {
  const last = looksOf(record).at(-1)?.at;
  return last === undefined ? 0 : (latest(record) - Date.parse(last)) / 1000;
}

// An answer counts, also one that refuses; what failed on the way is tried again.
function tried(record: Known, channel: Channel): boolean {
  const looks = record.observations.filter((seen) => seen.channel === channel);
  const answered = looks.some(({ http_status: status }) => status !== null && status < 429);
  return answered || looks.length >= MOST_TRIES;
}

function other(channel: Channel, record: Known): Next {
  const again = record.observations.at(-1)?.channel === channel;
  return { do: "look", channel, after: again ? TRY_AGAIN : 0 };
}

// A control is a run of its own: it says nothing about when to look.
function looksOf(record: Known): Known["observations"] {
  return record.observations.filter((seen) => seen.channel !== "control");
}

function now(channel: Channel): Next {
  return { do: "look", channel, after: 0 };
}

/**
 * Whether a look follows when a wait has ended. A webhook that is sent again after the end says nothing new.
 * @param record What is known.
 * @param wake What ended the wait, or null when its time was up.
 */
export function callsForLook(record: Known, wake: Wake | null): boolean {
  if (wake?.kind === "files") return false;
  if (wake?.kind === "held") return record.held_due || record.held?.broke_at === LOST;
  return !(wake?.kind === "webhook" && isTerminal(record.status));
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

/**
 * Folds the control's end into the record, in the same way.
 * @param record What was known before.
 * @param ran What came of the control.
 * @param rules The settings.
 */
export function advanceControl(
  record: Known,
  ran: Parameters<typeof foldControl>[1],
  rules: Rules,
): Known {
  const after = settle(foldControl(record, ran), rules);
  const at = ran.observation?.at ?? record.recorded_at;
  return isNews(record, after) ? { ...after, recorded_at: at } : after;
}

/**
 * The record as settled, where nothing is planned any more.
 * @param record What is known.
 * @param rules The settings.
 */
export function settle(record: Known, rules: Rules): Known {
  const next = plan(record, rules);
  if (next.do !== "end" || record.settled_at !== null) return record;
  const at = new Date(latest({ ...record, woken_at: null })).toISOString();
  return { ...record, verdict: next.verdict ?? record.verdict, settled_at: at };
}

/**
 * Whether a look changed what is worth storing.
 * @param before The record before the look.
 * @param after The record after it.
 */
export function isNews(before: Known, after: Known): boolean {
  if (after.unwanted || after.verdict === "pending") return false;
  // Who looks by hand wants to see that it was looked.
  if (before.verdict === "pending" || before.look_now) return true;
  return newsOf(before) !== newsOf(after);
}

/** Whether a response that has ended used containers whose files nobody has copied. */
export function wantsRescue(record: Known): boolean {
  const open = record.containers.length > 0 && record.files.length === 0;
  return open && isTerminal(record.status) && !record.unwanted;
}

/** Whether the list shows a record: a test event's sample id is not something anyone ran. */
export function isListed(record: Known): boolean {
  if (record.created_at === null) return false;
  return !(record.started_by === "webhook" && record.verdict === "not_found");
}

function newsOf(record: Known): string {
  const calls = record.calls.map((call) => [call.id, call.state, call.verdict, call.source]);
  const { status, verdict, body, settled_at, error, control, held } = record;
  return JSON.stringify([status, verdict, calls, body, settled_at, error, control, held]);
}

function firstLook(record: Known, rules: Rules): Next {
  const told = record.webhook !== null;
  const waited = (latest(record) - Date.parse(record.started_at)) / 1000;
  return { do: "look", channel: "refetch", after: told ? 0 : Math.max(0, rules.deadline - waited) };
}

function neverFound(record: Known): boolean {
  if (record.status !== null) return false;
  const looks = looksOf(record);
  if (looks.some((seen) => seen.http_status !== 404)) return false;
  const times = looks.map((seen) => Date.parse(seen.at));
  return Math.max(...times) - Math.min(...times) >= NOT_FOUND_AFTER * 1000;
}

function elapsed(record: Known): number {
  const last = record.observations.at(-1);
  return last === undefined ? 0 : (Date.parse(last.at) - Date.parse(record.started_at)) / 1000;
}

function gap(record: Known): number {
  const longest = longestGap(record);
  if (record.refused && record.status !== null) return LONGEST_GAP.stored;
  if (record.refused && looksOf(record).at(-1)?.http_status !== 404) return LONGEST_GAP.stored;
  const grown = 2 ** Math.min(looksSinceNews(record), 10);
  return Math.min(Math.max(grown, record.retry_after ?? 0), longest);
}

function longestGap(record: Known): number {
  const fleeting = record.effective_store === false && looksOf(record).length < MANY_LOOKS;
  return fleeting ? LONGEST_GAP.fleeting : LONGEST_GAP.stored;
}

// A webhook means that the end is near, and a held connection that broke may: the gaps start over from it.
function looksSinceNews(record: Known): number {
  const broke = record.observations.findLast((seen) => seen.channel === "held")?.at;
  const since = record.webhook?.received_at ?? broke;
  if (since === undefined) return looksOf(record).length;
  return looksOf(record).filter((seen) => seen.at >= since).length;
}
