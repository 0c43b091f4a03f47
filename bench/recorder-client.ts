// This Worker, from outside.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { runConcurrently } from "./load-generator.ts";
import { ACCESS_TOKEN, type ServerProcess } from "./server-processes.ts";

const TriggerAnswer = z.object({ id: z.string() });
const RecordVerdict = z.object({ verdict: z.string() });
const RecordContainers = z.object({
  calls: z.array(z.object({ container_id: z.string().nullable() })),
});
const ResultsPage = z.object({
  results: z.array(z.object({ id: z.string(), verdict: z.string() })),
  cursor: z.string().nullable(),
});

const PAGE_SIZE = 100;
const MAX_WAIT_SECONDS = 60;

export class RecorderClient {
  readonly server: ServerProcess;
  readonly #createNames = new Map<string, string>();

  constructor(server: ServerProcess) {
    this.server = server;
  }

  get url(): string {
    return this.server.url;
  }

  /** Sends a request with the access token. */
  request(path: string, init: RequestInit = {}, accept = "*/*"): Promise<Response> {
    const headers = { authorization: `Bearer ${ACCESS_TOKEN}`, accept };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }

  /** Triggers a run; gives its id. */
  async trigger(params: object): Promise<string> {
    const name = randomUUID();
    const body = JSON.stringify({ ...params, metadata: { bench: name } });
    const answer = await this.request("/trigger", { method: "POST", body });
    if (answer.status !== 202) throw new Error(`POST /trigger answered ${await answer.text()}`);
    const { id } = TriggerAnswer.parse(await answer.json());
    this.#createNames.set(id, name);
    return id;
  }

  /** Gives a run's verdict: as soon as its end was seen, or after `waitSeconds`. */
  async fetchVerdict(id: string, waitSeconds = 0): Promise<string> {
    return this.#fetchVerdict(id, `?wait=${waitSeconds}`);
  }

  /** Lists what a run's requests to the API name: its create, itself, and the containers of its calls. */
  async listNames(id: string): Promise<string[]> {
    const answer = await this.request(`/results/${id}`);
    const { calls } = RecordContainers.parse(await answer.json());
    const containers = calls.flatMap(({ container_id }) => container_id ?? []);
    return [this.#createNames.get(id) ?? [], id, containers].flat();
  }

  /** Gives the recorded response object. */
  async fetchResponse(id: string): Promise<unknown> {
    return (await this.request(`/results/${id}/response`)).json();
  }

  /** Waits until all of these runs are settled. */
  async waitUntilSettled(ids: string[]): Promise<void> {
    await runConcurrently(20, ids.length, async (n) => {
      const query = `?wait=${MAX_WAIT_SECONDS}&until=settled`;
      const verdict = await this.#fetchVerdict(ids[n] ?? "", query);
      assert.notEqual(verdict, "pending", "a run is recorded");
    });
  }

  /** Waits until a result can be read; gives the time since which it could, in milliseconds since 1970. */
  async waitUntilReadable(id: string): Promise<number> {
    const verdict = await this.fetchVerdict(id, MAX_WAIT_SECONDS);
    assert.notEqual(verdict, "pending", "a result can be read");
    return Date.now();
  }

  /** Reads the first page of the list; gives the number of its rows. */
  async countListed(query: string): Promise<number> {
    const answer = await this.request(`/results?limit=${PAGE_SIZE}${query}`);
    return ResultsPage.parse(await answer.json()).results.length;
  }

  /** Lists the ids of the newest runs that are recorded, out of the newest `count`. */
  async listRecorded(count: number): Promise<Set<string>> {
    const ids = new Set<string>();
    let cursor: string | null = "";
    for (let rows = 0; rows < count && cursor !== null; rows += PAGE_SIZE) {
      const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await this.request(`/results?limit=${PAGE_SIZE}${query}`);
      const page = ResultsPage.parse(await answer.json());
      for (const { id, verdict } of page.results) if (verdict !== "pending") ids.add(id);
      cursor = page.cursor;
    }
    return ids;
  }

  async #fetchVerdict(id: string, query: string): Promise<string> {
    const answer = await this.request(`/results/${id}${query}`);
    return RecordVerdict.parse(await answer.json()).verdict;
  }
}
