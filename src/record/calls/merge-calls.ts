// What an observation adds to a run's calls. They never get worse. Pure.
import { judgeCalls } from "./notebook.ts";
import type {
  Channel,
  ObservationResult,
  ObservedCall,
  StoredCall,
  StoredRecord,
} from "../schema.ts";
import { isFurther, outputsVerdict } from "../verdict.ts";

/**
 * Adds what an observation saw of a run's calls.
 * @param hasEnded Whether the response has ended, as far as is known after the observation.
 * @param first Whether it is the first observation after the end.
 */
export function mergeCalls(
  record: StoredRecord,
  result: ObservationResult,
  hasEnded: boolean,
  first: boolean,
): StoredRecord {
  const { channel } = result.observation;
  if (result.calls === null) return record;
  // Calls from a connection count before the end as well: OpenAI may never show them again.
  if (!hasEnded && !result.from_connection) return addEarlyResults(record, result);
  const plain = first && result.fields !== null;
  const known = new Map(
    record.calls.map((call) => [call.id, mergeCall(call, result.calls ?? [], channel, plain)]),
  );
  // What came without its response object, and not from the run itself, only fills in what is missing.
  if (result.fields === null && !result.from_connection) {
    return { ...record, calls: judgeNewCalls([...known.values()], record) };
  }
  const seen = result.calls.map((call) => known.get(call.id) ?? toStoredCall(call, channel, plain));
  const gone = [...known.values()].filter((call) => !seen.includes(call));
  const calls = judgeNewCalls([...seen, ...gone], record);
  const used = calls.map((call) => call.container_id).filter((id) => id !== null);
  return { ...record, calls, containers: union(record.containers, used) };
}

/** The calls of a run in flight whose results no observation had before. */
export function findEarlyResults(
  { calls: known }: Pick<StoredRecord, "calls">,
  { calls }: ObservationResult,
): ObservedCall[] {
  const had = known.filter(({ state }) => state === "populated").map(({ id }) => id);
  return (calls ?? []).filter(({ id, state }) => state === "populated" && !had.includes(id));
}

// Of a run in flight only results are kept: its end can lack them, or never be seen.
function addEarlyResults(record: StoredRecord, result: ObservationResult): StoredRecord {
  const early = findEarlyResults(record, result);
  if (early.length === 0) return record;
  const { channel } = result.observation;
  const known = record.calls.map((call) => mergeCall(call, early, channel, false));
  const added = early.filter(({ id }) => known.every((call) => call.id !== id));
  const calls = [...known, ...added.map((call) => toStoredCall(call, channel, false))];
  const used = early.map((call) => call.container_id).filter((id) => id !== null);
  return { ...record, calls, containers: union(record.containers, used) };
}

/** Without the results that a refetch in flight had, and the first answer after the end has again: they are captured there. */
export function withoutRepeated(
  record: StoredRecord,
  { calls, observation }: ObservationResult,
): StoredRecord {
  if (outputsVerdict(observation.channel, true) !== "captured") return record;
  const again = (calls ?? []).filter(({ state }) => state === "populated").map(({ id }) => id);
  const isRepeated = ({ id, source, verdict }: StoredCall) =>
    source === "refetch" && verdict === "recovered" && again.includes(id);
  const unseen = { state: "absent", source: null, verdict: null } as const;
  return {
    ...record,
    calls: record.calls.map((call) => (isRepeated(call) ? { ...call, ...unseen } : call)),
  };
}

function toStoredCall(call: ObservedCall, channel: Channel, first: boolean): StoredCall {
  const source = call.state === "populated" ? channel : null;
  const verdict = source === null ? null : outputsVerdict(source, first);
  return { ...call, source, verdict, hint: null };
}

// The code of a call that is news is read together with that of the calls before it.
function judgeNewCalls(calls: StoredCall[], record: StoredRecord): StoredCall[] {
  return calls.some((call) => call.verdict === null) ? judgeCalls(calls, record) : calls;
}

function mergeCall(
  call: StoredCall,
  seen: ObservedCall[],
  channel: Channel,
  first: boolean,
): StoredCall {
  const found = seen.find((other) => other.id === call.id);
  if (found === undefined) return call;
  const known = isNews(found, call) ? applyNews(call, found) : call;
  if (call.state === "populated") return known;
  if (found.state !== "populated") return { ...known, state: found.state };
  return {
    ...known,
    state: found.state,
    source: channel,
    verdict: outputsVerdict(channel, first),
    hint: null,
  };
}

// A call that is seen while it runs can have no code yet, or only the beginning.
function isNews(seen: ObservedCall, { status, request }: StoredCall): boolean {
  return isFurther(seen.status, status) || (request === null && seen.request !== null);
}

function applyNews(call: StoredCall, seen: ObservedCall): StoredCall {
  const { request_cut: _, ...known } = call;
  const { request, request_cut } = seen.request === null ? call : seen;
  const isJudged = call.source !== null || call.verdict === "lost";
  return {
    ...known,
    status: isFurther(seen.status, call.status) ? seen.status : call.status,
    container_id: seen.container_id ?? call.container_id,
    request,
    ...(request_cut === true ? { request_cut } : {}),
    verdict: isJudged ? call.verdict : null,
  };
}

/** Both lists, without duplicates. */
export function union(before: string[], more: string[]): string[] {
  return [...new Set([...before, ...more])];
}
