// What a Connection brought, as an observation of its run or as the result of a control. The response is read as a byte stream: it can be megabytes.
import { concatChunks, decodeChunks, readChunks } from "../../lib/byte-stream.ts";
import { parseJson } from "../../lib/json-parse.ts";
import { findMember, parseValue } from "../../lib/json-scan.ts";
import { readBody, type BodyRead } from "../../lib/json-stream.ts";
import { keepMostComplete } from "../../openai/channels.ts";
import {
  observeBody,
  observeItems,
  refusedItems,
  tooLarge,
  toSeenCalls,
} from "../../openai/observe.ts";
import { identifyItem } from "../../openai/call-items.ts";
import type { Observed } from "../../openai/observed.ts";
import { filterCallItems, outputItems, parseCalls } from "../../openai/response.ts";
import { MAX_VALUE_BYTES } from "../../record/limits.ts";
import {
  BREAK_UNKNOWN,
  type Channel,
  type ControlResult,
  type ObservedCall,
  type StoredRecord,
} from "../../record/schema.ts";
import { closeConnection, getConnection } from "./client.ts";
import type { ConnectionReport } from "./report.ts";

/**
 * Reads the Connection of a run. One that still reads its stream is closed: the response has ended, whatever the stream says.
 * @param record The run's record.
 * @param channel `held` or `stream`.
 * @param onLargeBody Is awaited when the response turns out to be large, before more of it is read.
 * @throws What the platform throws when the Connection can't be reached.
 */
export async function observeConnection(
  env: Env,
  name: string,
  channel: Channel,
  record: StoredRecord,
  onLargeBody: () => Promise<void>,
): Promise<Observed> {
  const report = await readEnd(env, name);
  const source = {
    channel,
    httpStatus: report?.http_status ?? null,
    requestId: report?.request_id ?? null,
  };
  const body = report === null ? null : await readResponse(env, name, report, onLargeBody);
  const observed =
    report === null || body === null
      ? withPartial(
          observeItems(source, await readItems(env, name, report), report?.status ?? null),
          report?.items.length !== 0 && record.body === null,
        )
      : await withItems(env, name, report, record, await observeBody(source, body));
  return withEnd(withoutCut(observed, report), report, body !== null);
}

function withPartial(observed: Observed, partial: boolean): Observed {
  return { ...observed, result: { ...observed.result, partial } };
}

// Results that were too large to be kept whole were observed, and are not stored.
function withoutCut(observed: Observed, report: ConnectionReport | null): Observed {
  const cut = (report?.items ?? []).flatMap(({ cut_bytes: bytes }) => bytes ?? []);
  const { result, outputs } = observed;
  if (report === null || cut.length === 0) return observed;
  return {
    ...observed,
    outputs: outputs === null ? null : () => dropCut(outputs(), report),
    result: { ...result, error: result.error ?? tooLarge(Math.max(...cut)) },
  };
}

function dropCut(items: unknown[], { items: finished }: ConnectionReport): unknown[] {
  const cut = new Set(finished.flatMap(({ key, cut_bytes }) => (cut_bytes === null ? [] : [key])));
  return items.filter((item) => !cut.has(identifyItem(item)?.key ?? ""));
}

function withEnd(
  observed: Observed,
  report: ConnectionReport | null,
  hasResponse: boolean,
): Observed {
  const end = report?.end ?? null;
  const { result } = observed;
  // Nothing else was observed before a held connection ended; a followed run is refetched before its stream is read.
  const isEnd = end !== null && result.observation.channel === "held";
  const at = isEnd ? new Date(end.at_ms).toISOString() : result.observation.at;
  return {
    ...observed,
    result: {
      ...result,
      observation: { ...result.observation, at },
      error: result.error ?? (hasResponse ? null : (report?.error ?? null)),
      from_connection: true,
      broke_at: hasResponse ? null : (end?.last_event ?? BREAK_UNKNOWN),
      ...(end?.reason === "closed" ? { closed: true } : {}),
    },
  };
}

async function readEnd(env: Env, name: string): Promise<ConnectionReport | null> {
  const report = await getConnection(env, name).report();
  if (report === null || !report.isReading) return report;
  await closeConnection(env, name);
  return getConnection(env, name).report();
}

async function readResponse(
  env: Env,
  name: string,
  { response }: ConnectionReport,
  onLargeBody: () => Promise<void>,
): Promise<BodyRead | null> {
  if (response === null) return null;
  const stream = await getConnection(env, name).lastResponse();
  if (stream === null) return null;
  const body = await readBody(stream, onLargeBody);
  return response.isTruncated ? { ...body, chunks: null, bytes: response.bytes } : body;
}

// Items that were finished, and that the response lacks, or whose results it lacks.
async function withItems(
  env: Env,
  name: string,
  report: ConnectionReport,
  record: StoredRecord,
  observed: Observed,
): Promise<Observed> {
  const { result } = observed;
  if (result.calls === null) return observed;
  const read = { ...observed, result: { ...result, from_connection: true } };
  const refused = refusedItems(record, read);
  const more = withoutShown(report, observed.keys, result.calls);
  const items = await readItems(env, name, more);
  if (items.length === 0) return { ...observed, outputs: refused };
  const calls = mergeCalls(result.calls, parseCalls(items));
  const observation = { ...result.observation, calls: toSeenCalls(calls) };
  const outputs = () => mergeItems(refused?.() ?? [], items);
  const partial = more.items.some(({ key }) => !observed.keys.has(key));
  return { ...observed, result: { ...result, calls, observation, partial }, outputs };
}

// A call and its result are read together.
function withoutShown(
  report: ConnectionReport,
  keys: ReadonlySet<string>,
  shown: ObservedCall[],
): ConnectionReport {
  const states = new Map(shown.map(({ id, state }) => [id, state]));
  const more = report.items.filter(
    ({ key, state }) =>
      !keys.has(key) || (state === "populated" && states.get(key) !== "populated"),
  );
  const callIds = new Set(more.flatMap(({ call_id }) => call_id ?? []));
  const items = report.items.filter(
    (item) => more.includes(item) || callIds.has(item.call_id ?? ""),
  );
  return { ...report, items };
}

function mergeItems(shown: unknown[], spare: unknown[]): unknown[] {
  const items = new Map<string, unknown>();
  keepMostComplete(items, [...shown, ...spare]);
  return [...items.values()];
}

function mergeCalls(shown: ObservedCall[], spare: ObservedCall[]): ObservedCall[] {
  const byId = new Map([...shown, ...spare].map((call) => [call.id, call]));
  return [...byId.values()];
}

async function readItems(
  env: Env,
  name: string,
  report: ConnectionReport | null,
): Promise<unknown[]> {
  if (report === null || report.items.length === 0) return [];
  const stream = await getConnection(env, name).items(report.items.map(({ key }) => key));
  const json = decodeChunks(await readChunks(stream));
  return outputItems({ output: parseJson(json) });
}

/** A control's result, and its calls' items as JSON; null where it has none, or more than can be stored. */
export type ControlReading = { result: ControlResult | null; items: Uint8Array | null };

/** The result of a control whose Connection knows nothing. */
const toUnknown = (status: "not_run" | "interrupted"): ControlReading => ({
  result: { observation: null, control: { id: null, status, calls: [] } },
  items: null,
});

/**
 * Reads the Connection of a control.
 * @param isOpened Whether it is known to exist: then one that still reads its stream is out of time, and is closed.
 * @param onLargeBody Is awaited when the response turns out to be large, before more of it is read.
 * @returns A result of null when the control still runs.
 */
export async function readControl(
  env: Env,
  name: string,
  isOpened: boolean,
  onLargeBody: () => Promise<void>,
): Promise<ControlReading> {
  const present = await getConnection(env, name).report();
  if (present === null) return toUnknown(isOpened ? "interrupted" : "not_run");
  if (present.isReading && !isOpened) return { result: null, items: null };
  const report = await readEnd(env, name);
  if (report === null) return toUnknown("interrupted");
  const items = filterCallItems(await readControlItems(env, name, report, onLargeBody));
  const calls = parseCalls(items);
  const { id, http_status, request_id, end } = report;
  const observation = {
    at: new Date(end?.at_ms ?? Date.now()).toISOString(),
    channel: "control" as const,
    http_status,
    status: report.status,
    request_id,
    calls: toSeenCalls(calls),
  };
  const control = { id, status: toControlStatus(report), calls: calls.map(toControlCall) };
  return { result: { observation, control }, items: toStorable(dropCut(items, report)) };
}

function toControlStatus({ end, status }: ConnectionReport): string | null {
  if (end?.reason === "terminal") return status;
  return end?.reason === "refused" || end?.reason === "unreachable" ? end.reason : "interrupted";
}

function toControlCall(call: ObservedCall): ControlResult["control"]["calls"][number] {
  const source = call.state === "populated" ? "control" : null;
  return { ...call, verdict: null, source, hint: null };
}

// The calls of the last response, and those that it lacks.
async function readControlItems(
  env: Env,
  name: string,
  report: ConnectionReport,
  onLargeBody: () => Promise<void>,
): Promise<unknown[]> {
  const body = await readResponse(env, name, report, onLargeBody);
  if (body === null || body.chunks === null) return readItems(env, name, report);
  const output = parseValue(findMember(concatChunks(body.chunks), "output"));
  const shown = outputItems({ output });
  const keys = new Set(shown.flatMap((item) => identifyItem(item)?.key ?? []));
  const spare = await readItems(env, name, withoutShown(report, keys, parseCalls(shown)));
  return mergeItems(shown, spare);
}

// What it observed counts, also where what it printed can't be stored.
function toStorable(items: unknown[]): Uint8Array | null {
  if (items.length === 0) return null;
  const json = new TextEncoder().encode(JSON.stringify(items));
  return json.byteLength > MAX_VALUE_BYTES ? null : json;
}
