// The emulator's control routes, `/_emulator/…`. docs/emulator.md describes them.
import { z } from "zod";
import type { startEmulator } from "../../emulator/server.ts";
import { API_KEY } from "./credentials.ts";

export type EmulatorSettings = NonNullable<Parameters<typeof startEmulator>[0]>;

/** A rule for `/_emulator/faults`. */
export type FaultRule = Record<string, unknown>;

/** A request that reached the API. */
export const LoggedRequest = z.object({
  at: z.iso.datetime(),
  method: z.string(),
  path: z.string(),
  query: z.record(z.string(), z.array(z.string())),
  headers: z.record(z.string(), z.string()),
  body: z.unknown(),
  /** Null until the emulator has answered. */
  status: z.number().nullable(),
  request_id: z.string(),
  /** The kind of the fault that was injected, or null. */
  fault: z.string().nullable(),
});
export type LoggedRequest = z.infer<typeof LoggedRequest>;

/** An attempt to deliver a webhook. */
export const DeliveryAttempt = z.object({
  response_id: z.string(),
  /** The receiver's status; null if there was no answer. */
  status: z.number().nullable(),
});
export type DeliveryAttempt = z.infer<typeof DeliveryAttempt>;

const ActualCall = z.object({
  id: z.string(),
  container_id: z.string().nullable(),
  code: z.string(),
  outputs: z.array(z.unknown()).nullable(),
  raised: z.boolean(),
  /** When the stream showed it finished, and the number of that event; null when the run stopped before. */
  done: z.object({ at: z.iso.datetime(), event: z.number() }).nullable(),
});

/** What a run actually did, whatever the API shows of it. */
export const ActualRun = z.object({
  id: z.string(),
  status: z.string(),
  background: z.boolean(),
  created_at: z.number(),
  ended_at: z.iso.datetime().nullable(),
  metadata: z.record(z.string(), z.string()),
  calls: z.array(ActualCall),
  /** Calls that only the stream had, before the run was cancelled. */
  unshown: z.array(ActualCall),
  /** The response object with all outputs. Only `getRun` gives it. */
  response: z.unknown().optional(),
});
export type ActualRun = z.infer<typeof ActualRun>;

export type EmulatorClient = {
  /** The emulator's URL, without a slash at its end. */
  url: string;
  /** Changes settings while the emulator runs. */
  configure(settings: EmulatorSettings): Promise<void>;
  listRequests(): Promise<LoggedRequest[]>;
  /** The requests without lists of files: one that was empty is asked for once more, seconds after its run has ended. */
  listRequestsButFiles(): Promise<LoggedRequest[]>;
  clearRequests(): Promise<void>;
  listDeliveries(): Promise<DeliveryAttempt[]>;
  listRuns(): Promise<ActualRun[]>;
  getRun(id: string): Promise<ActualRun>;
  addFault(rule: FaultRule): Promise<void>;
  /** Adds an answer to one request with this metadata, by its steps. docs/emulator.md describes them. */
  addScriptFor(metadata: Record<string, string>, steps: object[]): Promise<void>;
  clearFaults(): Promise<void>;
  /** Says what the model answers, step by step, to the next request that matches. `response`: members that replace the response's. */
  addScript(
    steps: object[],
    match?: Record<string, unknown>,
    response?: Record<string, unknown>,
  ): Promise<void>;
  clearScripts(): Promise<void>;
  expireContainer(id: string): Promise<void>;
  /** Sends the API itself a request with the test's key, as another program of the project would. */
  sendToApi(path: string, init?: RequestInit): Promise<Response>;
};

/** Returns a client for the control routes of the emulator at a URL. */
export function createEmulatorClient(url: string): EmulatorClient {
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/_emulator${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} of the emulator failed: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  const listRequests = async () => z.array(LoggedRequest).parse(await send("GET", "/requests"));
  return {
    url,
    configure: async (settings) => void (await send("PATCH", "/settings", settings)),
    listRequests,
    listRequestsButFiles: async () =>
      (await listRequests()).filter(({ path }) => !/\/containers\/[^/]+\/files$/.test(path)),
    clearRequests: async () => void (await send("DELETE", "/requests")),
    listDeliveries: async () => z.array(DeliveryAttempt).parse(await send("GET", "/deliveries")),
    listRuns: async () => z.array(ActualRun).parse(await send("GET", "/responses")),
    getRun: async (id) => ActualRun.parse(await send("GET", `/responses/${id}`)),
    addFault: async (rule) => void (await send("POST", "/faults", rule)),
    addScriptFor: async (metadata, steps) =>
      void (await send("POST", "/scripts", { match: { metadata }, then: steps })),
    clearFaults: async () => void (await send("DELETE", "/faults")),
    async addScript(steps, match = {}, response = {}) {
      const script = new Map<string, unknown>([
        ["match", match],
        ["then", steps],
        ["response", response],
      ]);
      await send("POST", "/scripts", Object.fromEntries(script));
    },
    clearScripts: async () => void (await send("DELETE", "/scripts")),
    expireContainer: async (id) => void (await send("POST", `/containers/${id}/expire`)),
    sendToApi(path, init = {}) {
      const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
      return fetch(`${url}/v1${path}`, { ...init, headers });
    },
  };
}
