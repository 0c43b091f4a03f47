// This Worker, from outside.
import assert from "node:assert/strict";
import { z } from "zod";
import { inFlight } from "./load-generator.ts";
import { TOKEN, type Served } from "./server-processes.ts";

const Started = z.object({ id: z.string() });
const Verdict = z.object({ verdict: z.string() });
const Page = z.object({
  results: z.array(z.object({ id: z.string(), verdict: z.string() })),
  cursor: z.string().nullable(),
});

export class Recorder {
  readonly served: Served;

  constructor(served: Served) {
    this.served = served;
  }

  get url(): string {
    return this.served.url;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** Triggers a run; gives its id. */
  async trigger(body: object): Promise<string> {
    const answer = await this.ask("/trigger", { method: "POST", body: JSON.stringify(body) });
    if (answer.status !== 202) throw new Error(`a trigger was answered ${await answer.text()}`);
    return Started.parse(await answer.json()).id;
  }

  /** The verdict as it is now, or after as many seconds at the most when it is settled. */
  async verdict(id: string, wait = 0): Promise<string> {
    const answer = await this.ask(`/results/${id}?wait=${wait}`);
    return Verdict.parse(await answer.json()).verdict;
  }

  /** The response object that was recorded. */
  async response(id: string): Promise<unknown> {
    return (await this.ask(`/results/${id}/response`)).json();
  }

  /** Waits until all of these are settled. */
  async settled(ids: string[]): Promise<void> {
    await inFlight(20, ids.length, async (n) => {
      assert.notEqual(await this.verdict(ids[n] ?? "", 60), "pending", "a run is recorded");
    });
  }

  /** Resolves when a result can be read; gives the time from which on it could. */
  async readable(id: string): Promise<number> {
    const events = await this.ask(`/results/${id}/events`);
    for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const at = Date.now();
      if (chunk.includes('"news":true') && (await this.verdict(id)) !== "pending") return at;
    }
    throw new Error(`${id} has ended, and its result could not be read`);
  }

  /** Ids of the newest that are recorded. */
  async recorded(count: number): Promise<Set<string>> {
    const ids = new Set<string>();
    let cursor: string | null = "";
    for (let seen = 0; seen < count && cursor !== null; seen += 100) {
      const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = Page.parse(await (await this.ask(`/results?limit=100${query}`)).json());
      for (const { id, verdict } of page.results) if (verdict !== "pending") ids.add(id);
      cursor = page.cursor;
    }
    return ids;
  }
}
