// Requests about runs, for a Worker that is a process of its own.
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";

/** Sends the Worker a request with the access token. */
type Send = { request(path: string, init?: RequestInit): Promise<Response> };

const Started = z.object({ id: z.string() });

/** Starts a run; returns its id. */
export async function triggerRun(world: Send, body: unknown): Promise<string> {
  const answer = await world.request("/trigger", { method: "POST", body: JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== 202) throw new Error(`POST /trigger: ${answer.status} ${text}`);
  return Started.parse(JSON.parse(text)).id;
}

/** Returns a record as it is now. */
export async function readRecord(world: Send, id: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}`)).json());
}

/** Returns a record once it is settled. */
export async function waitUntilSettled(world: Send, id: string): Promise<ResponseRecord> {
  const answer = await world.request(`/results/${id}?wait=60&until=settled`);
  return ResponseRecord.parse(await answer.json());
}
