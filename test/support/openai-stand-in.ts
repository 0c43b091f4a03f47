// A server in place of OpenAI, where a test needs what the emulator does not imitate: the bytes of a request, gateways that change events, and when a client closes its connection.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type StandInRequest = { method: string; path: string; query: URLSearchParams; body: Buffer };

export type StandIn = {
  /** Its URL, without a slash at its end. */
  url: string;
  /** All requests, in their order. */
  requests: StandInRequest[];
  /** The paths of answers that a client closed before their end. */
  closed: string[];
  close(): Promise<void>;
};

/** Answers a request. */
export type Answer = (request: StandInRequest, response: ServerResponse) => void;

/** Starts a stand-in on a free port. */
export async function startStandIn(answer: Answer): Promise<StandIn> {
  const requests: StandInRequest[] = [];
  const closed: string[] = [];
  const receive = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await readRequest(incoming);
    requests.push(request);
    response.on("close", () => {
      if (!response.writableFinished) closed.push(request.path);
    });
    answer(request, response);
  };
  const server = createServer((incoming, response) => {
    void receive(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = toAddress(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    closed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toAddress(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address;
}

async function readRequest(incoming: IncomingMessage): Promise<StandInRequest> {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(incoming, "end");
  const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://stand-in.example");
  const { method = "GET" } = incoming;
  return { method, path: pathname, query: searchParams, body: Buffer.concat(chunks) };
}

/** Sends a JSON answer. */
export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json", "x-request-id": "req_1" });
  response.end(JSON.stringify(value));
}

/** Begins an event stream. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_1" });
}

/** Sends events of a stream. */
export function sendEvents(response: ServerResponse, events: object[]): void {
  for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
}

/** What the run of a stand-in printed. */
export const PRINTED = [{ type: "logs", logs: "naïve – 数据\n" }];

export type RunShape = { id: string; background: boolean };

const CALL = {
  id: "ci_1",
  type: "code_interpreter_call",
  status: "completed",
  code: "print('naïve – 数据')",
  container_id: "cntr_1",
};
const MESSAGE = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: "done", annotations: [], logprobs: [] }],
};

/** A run's response object. */
export function toResponse({ id, background }: RunShape, status = "completed"): object {
  const output = status === "completed" ? [{ ...CALL, outputs: PRINTED }, MESSAGE] : [];
  const completed_at = status === "completed" ? 1_700_000_009 : null;
  return {
    id,
    object: "response",
    created_at: 1_700_000_000,
    completed_at,
    status,
    background,
    error: null,
    incomplete_details: null,
    model: "m",
    store: true,
    metadata: {},
    tools: [],
    output,
  };
}

/** The events of a run with one call and one message, without `sequence_number`. */
export function toEvents(run: RunShape): object[] {
  const item_id = CALL.id;
  return [
    { type: "response.created", response: toResponse(run, "in_progress") },
    { type: "response.in_progress", response: toResponse(run, "in_progress") },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...CALL, status: "in_progress", code: "", outputs: null },
    },
    ...["pr", "in", "t"].map((delta) => ({
      type: "response.code_interpreter_call_code.delta",
      output_index: 0,
      item_id,
      delta,
    })),
    {
      type: "response.output_item.done",
      output_index: 0,
      item: { ...CALL, outputs: PRINTED },
    },
    { type: "response.output_item.added", output_index: 1, item: { ...MESSAGE, content: [] } },
    { type: "response.output_item.done", output_index: 1, item: MESSAGE },
    { type: "response.completed", response: toResponse(run) },
  ];
}
