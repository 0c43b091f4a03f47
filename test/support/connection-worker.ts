// Requests to the Worker in `test/support/connection-worker`: its Connections can be read, looked into, killed, and made to fail.
import { z } from "zod";

/** The Worker's entry, relative to the project's folder. */
export const CONNECTION_WORKER = "test/support/connection-worker/index.ts";

/** In place of a minute. */
export const CONTROL_OPEN_SECONDS = 5;

/** In place of the name of a Connection. */
export const ALL_CONNECTIONS = "all";

/** What a binding does with a call. */
export type Mode = "works" | "refuses" | "hangs";

/** The names of a run's Connection and of its control's. */
const ConnectionNames = z.object({ run: z.string().nullable(), control: z.string().nullable() });
export type ConnectionNames = z.infer<typeof ConnectionNames>;

const Head = z.object({ label: z.string() });

/** What an object stores. A row of events has a head, which describes its last event; other parts of a large row have none. */
const StoredConnection = z.object({
  keys: z.number(),
  alarm: z.number().nullable(),
  rows: z.array(z.object({ name: z.string(), bytes: z.number(), head: z.string().nullable() })),
});
export type StoredConnection = z.infer<typeof StoredConnection>;

/** An event as a Connection gives it. */
export type ReadEvent = { number: number; type: string; sequenceNumber: number; json: string };

const EventFields = z.object({ type: z.string(), sequence_number: z.number() });

/** Sets what Connections' calls to Recorders do. */
export async function setRecorderMode(url: string, mode: Mode): Promise<void> {
  await ask(url, `recorders/${mode}`);
}

/** Makes Workers die, as it seems, before they open a control: the call never ends. */
export async function hangControls(url: string): Promise<void> {
  await ask(url, "controls/hang");
}

/** Makes the storage of a Connection, or of all, refuse writes. */
export async function refuseWrites(url: string, name: string): Promise<void> {
  await ask(url, `refuse/${name}`);
}

/** How many writes were refused since `refuseWrites`. */
export async function countRefusedWrites(url: string, name: string): Promise<number> {
  return z.number().parse(await (await ask(url, `refusals/${name}`)).json());
}

/** Makes the storage of a Connection, or of all, take writes again. */
export async function acceptWrites(url: string, name: string): Promise<void> {
  await ask(url, `accept/${name}`);
}

/** The names of the Connections of a run that is recorded. */
export async function readConnectionNames(url: string, id: string): Promise<ConnectionNames> {
  return ConnectionNames.parse(await (await ask(url, `names/${id}`)).json());
}

/** The name of the Connection of a run that is recorded. */
export async function readConnectionName(url: string, id: string): Promise<string> {
  const { run } = await readConnectionNames(url, id);
  if (run === null) throw new Error(`${id} has no Connection.`);
  return run;
}

/** What a Connection stores. It notices nothing of the question. */
export async function inspectConnection(url: string, name: string): Promise<StoredConnection> {
  return StoredConnection.parse(await (await ask(url, `inspect/${name}`)).json());
}

/** The last events of the rows that a Connection has stored: each with OpenAI's number and its type. */
export async function listStoredLabels(url: string, name: string): Promise<string[]> {
  const { rows } = await inspectConnection(url, name);
  return rows.flatMap(({ head }) => (head === null ? [] : [Head.parse(JSON.parse(head)).label]));
}

/** How many finished items a Connection has stored. */
export async function countStoredItems(url: string, name: string): Promise<number> {
  const labels = await listStoredLabels(url, name);
  return labels.filter((label) => label.endsWith(" response.output_item.done")).length;
}

/** Kills the object of a Connection, as a restart by the platform does. */
export async function killConnection(url: string, name: string): Promise<void> {
  const wasKilled: unknown = await (await ask(url, `kill/${name}`)).json();
  if (wasKilled !== true) throw new Error(`${name} was not killed.`);
}

/** Removes a Connection, as it does itself a day after its end. */
export async function removeConnection(url: string, name: string): Promise<void> {
  await ask(url, `remove/${name}`);
}

/** Makes runs that begin from now on be abandoned after so many seconds, in place of a day. */
export async function abandonAfter(url: string, seconds: number | "never"): Promise<void> {
  await ask(url, `abandon/${seconds}`);
}

/**
 * Reads a Connection's events as they come, until its stream has ended.
 * @param after The number of the last event that the reader has; 0 for all.
 * @param signal Lets the reader leave.
 */
export async function* readEvents(
  url: string,
  name: string,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<ReadEvent> {
  for await (const line of readLines(await openEvents(url, name, after, signal))) yield parse(line);
}

/** All events of a Connection from the first one, once its stream has ended. */
export async function readAllEvents(url: string, name: string): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  for await (const event of readEvents(url, name, 0)) events.push(event);
  return events;
}

/** Opens a Connection's events as a stream of bytes. */
export async function openEvents(
  url: string,
  name: string,
  after: number,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const init = signal === undefined ? {} : { signal };
  const answer = await fetch(`${url}/test/read/${name}?after=${after}`, init);
  if (!answer.ok || answer.body === null) throw new Error(`Reading ${name}: ${answer.status}`);
  return answer.body;
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(first);
    for (const next of more) {
      yield parts.splice(0).join("");
      parts.push(next);
    }
  }
  if (parts.join("") !== "") throw new Error("The last line has no end.");
}

function parse(line: string): ReadEvent {
  const end = line.indexOf(" ");
  const json = line.slice(end + 1).trim();
  const { type, sequence_number } = EventFields.parse(JSON.parse(json));
  return { number: Number(line.slice(0, end)), type, sequenceNumber: sequence_number, json };
}

async function ask(url: string, path: string, body = ""): Promise<Response> {
  const answer = await fetch(`${url}/test/${path}`, { method: "POST", body });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}
