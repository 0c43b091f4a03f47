// What the emulator says has happened, and asking for it.
import { z } from "zod";

const Call = z.object({
  id: z.string(),
  code: z.string(),
  outputs: z.array(z.unknown()).nullable(),
  raised: z.boolean(),
});

/** A response as it really was. */
export const Truth = z.object({
  id: z.string(),
  status: z.string(),
  background: z.boolean(),
  created_at: z.number(),
  ended_at: z.iso.datetime().nullable(),
  metadata: z.record(z.string(), z.string()),
  calls: z.array(Call),
  /** Calls that only the stream had, before the run was cancelled. */
  unshown: z.array(Call),
});
export type Truth = z.infer<typeof Truth>;

/** A request that reached the API. */
export const Asked = z.object({
  at: z.iso.datetime(),
  method: z.string(),
  path: z.string(),
  status: z.number().nullable(),
  request_id: z.string(),
  fault: z.string().nullable(),
  body: z.unknown(),
});
export type Asked = z.infer<typeof Asked>;

const Sent = z.object({ response_id: z.string(), status: z.number().nullable() });
const Whole = z.object({ response: z.unknown() });

/** The emulator's side of the story. */
export type Told = {
  runs: Truth[];
  requests: Asked[];
  /** What the emulator sent, each time it did. */
  deliveries: z.infer<typeof Sent>[];
};

/** Asks the emulator for all that happened. */
export async function tell(api: string): Promise<Told> {
  const [runs, requests, deliveries] = await Promise.all(
    ["responses", "requests", "deliveries"].map((what) => read(`${api}/_emulator/${what}`)),
  );
  return {
    runs: z.array(Truth).parse(runs),
    requests: z.array(Asked).parse(requests),
    deliveries: z.array(Sent).parse(deliveries),
  };
}

/** One response's truth. */
export async function truthOf(api: string, id: string): Promise<Truth> {
  return Truth.parse(await read(`${api}/_emulator/responses/${id}`));
}

/** One response object as the API would send it, with all its outputs. */
export async function wholeOf(api: string, id: string): Promise<unknown> {
  return Whole.parse(await read(`${api}/_emulator/responses/${id}`)).response;
}

async function read(url: string): Promise<unknown> {
  const answer: unknown = await (await fetch(url)).json();
  return answer;
}
