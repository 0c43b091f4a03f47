// The invariants of every response, and what each of them protects from.

export const INVARIANTS = {
  "a call that was taken begins a run": "lost",
  "a run ends": "lost",
  "a run settles within a day": "lost",
  "everything that was shown is recorded": "lost",
  "an end can be read at once": "lost",
  "KV has the record and its body": "lost",
  "outputs and files that a record has can be read": "lost",
  "a control's result is recorded": "lost",
  "an end that lacks something is asked for again": "lost",
  "an event that was stored is kept until it is read": "lost",
  "a call that was finished before a break is recorded": "lost",
  "a Connection always has an alarm": "lost",
  "a Connection is released when it was read": "lost",
  "a run's end is notified": "lost",
  "effects run one at a time": "twice",
  "an observation counts once": "twice",
  "a request is sent once": "twice",
  "what was delivered is not sent again": "twice",
  "OpenAI is not asked again for what was seen": "twice",
  "rows, writes and calls stay within their limits": "twice",
  "verdicts follow from the script": "wrong",
  "a record never gets worse": "wrong",
  "the Catalog agrees with the record": "wrong",
  "a record expires when it should": "wrong",
  "nothing is left of what was deleted, expired or unwanted": "wrong",
  "only a record that can be read is notified": "wrong",
  "a control counts as not run only if it was never opened": "wrong",
  "a deleted run's Connections are gone": "wrong",
  "no Connection is left": "wrong",
} as const;

export type Invariant = keyof typeof INVARIANTS;
export type Failure = { invariant: Invariant; why: string };
