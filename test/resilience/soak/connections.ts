// What a held or followed run must have of its stream, worked out from what the emulator sent.
import type { ResponseRecord } from "../../../src/record/schema.ts";
import type { ActualRun } from "../../support/emulator-client.ts";
import { listConnections, type Evidence } from "./evidence.ts";
import { listExecutedCalls } from "./facts.ts";
import type { Plan } from "./schedule.ts";

/** An event that is so old when OpenAI cancels the run, because its connection was lost, has been read and stored. */
const READ_AFTER_SECONDS = 4;

/** Returns the calls that a connection brought before it was lost, and that the record does not have. */
export function findUnkeptCalls(run: ActualRun, record: ResponseRecord): string[] {
  if (record.held === null) return [];
  const readEvents = toReadEvents(record.held.broke_at);
  const readUntilMs = Date.parse(run.ended_at ?? "") - READ_AFTER_SECONDS * 1000;
  const recorded = new Set(record.calls.map(({ id }) => id));
  const brought = listExecutedCalls(run).filter(
    ({ done }) => done !== null && (done.event < readEvents || Date.parse(done.at) <= readUntilMs),
  );
  return brought
    .filter(({ id }) => !recorded.has(id))
    .map(({ id }) => `the connection brought ${id}, and the record lacks it`);
}

// `broke_at` begins with the number of the last event, counted from 0. Null: every event came.
function toReadEvents(brokeAt: string | null): number {
  if (brokeAt === null) return Number.POSITIVE_INFINITY;
  const number = Number.parseInt(brokeAt, 10);
  return Number.isNaN(number) ? 0 : number + 1;
}

/** Whether a Connection knew its run's id when it ended. It reports until its Recorder has heard it, whether or not the trigger was answered. */
export function wasEndReported(
  { connections, log }: Evidence,
  { id }: ActualRun,
  { number }: Plan,
): boolean {
  const names = listConnections(connections, id, number)
    .filter(({ kind }) => kind !== "control")
    .map(({ connection }) => connection);
  const ends = log
    .split("\n")
    .filter((line) => line.startsWith(`{"event":"connection_end","id":"${id}"`));
  return ends.some((line) => names.some((name) => line.includes(name)));
}
