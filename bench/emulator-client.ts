// The emulator of OpenAI's API, from outside: the benchmark sets it up, starts responses, and checks records against it.
import assert from "node:assert/strict";
import { z } from "zod";
import { pollUntil } from "../scripts/lib/retry.ts";
import { API_KEY } from "./server-processes.ts";

const Created = z.object({ id: z.string() });
const ResponseState = z.object({ ended_at: z.string().nullable() });
const LoggedRequest = z.object({
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown(),
});
type LoggedRequest = z.infer<typeof LoggedRequest>;
const Requests = z.array(LoggedRequest);
const CreateBody = z.object({ metadata: z.object({ bench: z.string() }) });
const Deliveries = z.array(
  z.object({ at: z.string(), response_id: z.string(), status: z.number().nullable() }),
);

const POLL_INTERVAL_MS = 50;

export class EmulatorClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Changes the emulator's settings. */
  async changeSettings(settings: Record<string, unknown>): Promise<void> {
    const answer = await this.#control("/settings", "PATCH", settings);
    assert.equal(answer.status, 200, "the emulator takes its settings");
  }

  /** Starts a background response as another program would; gives its id. */
  async createResponse(request: object): Promise<string> {
    const body = JSON.stringify({ ...request, background: true, store: true });
    const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
    const answer = await fetch(`${this.url}/v1/responses`, { method: "POST", body, headers });
    return Created.parse(await answer.json()).id;
  }

  /** Retrieves a response object with its outputs. */
  async retrieveResponse(id: string): Promise<unknown> {
    const include = "include[]=code_interpreter_call.outputs";
    const headers = { authorization: `Bearer ${API_KEY}` };
    const answer = await fetch(`${this.url}/v1/responses/${id}?${include}`, { headers });
    return answer.json();
  }

  /** Waits until a response has ended; gives the time of its end in milliseconds since 1970. */
  async waitForEnd(id: string): Promise<number> {
    const readEnd = async () => {
      const answer = await this.#control(`/responses/${id}`, "GET");
      return ResponseState.parse(await answer.json()).ended_at;
    };
    return Date.parse(await pollUntil(readEnd, { intervalMs: POLL_INTERVAL_MS }));
  }

  /** Counts the requests to the API since `clearRequests` was last called. */
  async countRequests(): Promise<number> {
    return Requests.parse(await (await this.#control("/requests", "GET")).json()).length;
  }

  /**
   * Counts the Recorder's requests since `clearRequests` was last called.
   * @param names Of objects of the API, and of creates: `bench` in their metadata.
   */
  async countRecorderRequests(names: string[]): Promise<number> {
    const requests = Requests.parse(await (await this.#control("/requests", "GET")).json());
    return requests.filter(isOfRecorder).filter((request) => isNamed(request, names)).length;
  }

  async clearRequests(): Promise<void> {
    await this.#control("/requests", "DELETE");
  }

  /** Gives when each response's webhook was answered with 200, in milliseconds since 1970, by response id. */
  async listAcceptedWebhooks(): Promise<Map<string, number>> {
    const answer = await this.#control("/deliveries", "GET");
    const deliveries = Deliveries.parse(await answer.json());
    const accepted = deliveries.filter(({ status }) => status === 200);
    return new Map(accepted.map(({ response_id, at }) => [response_id, Date.parse(at)]));
  }

  #control(path: string, method: string, body?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`${this.url}/_emulator${path}`, { method, headers, ...init });
  }
}

function isOfRecorder({ headers }: LoggedRequest): boolean {
  return headers["user-agent"]?.startsWith("response-recorder/") === true;
}

function isNamed({ path, body }: LoggedRequest, names: string[]): boolean {
  if (path.split("/").some((part) => names.includes(part))) return true;
  const created = CreateBody.safeParse(body);
  return created.success && names.includes(created.data.metadata.bench);
}
