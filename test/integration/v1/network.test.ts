// /v1 over a network that fails, and bodies that come slowly. The Worker is a process of its own: the test harness buffers requests, and answers them itself when OpenAI does not.
import { once } from "node:events";
import {
  createServer,
  IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { toTestVars } from "../../support/process-world.ts";
import { startWorkerProcess, type WorkerProcess } from "../../support/worker-process.ts";
import { TOKEN } from "../../support/world.ts";
import { ApiError, createV1Client, EXAMPLE, type V1Client } from "./v1-client.ts";

type Server = { url: string; requests: string[]; close: () => void };

let openai: Server;
let worker: WorkerProcess;
let v1: V1Client;
beforeAll(async () => {
  openai = await startServer();
  worker = await startWorkerProcess({ vars: toTestVars(openai.url) });
  v1 = createV1Client(worker.url);
});
afterAll(async () => {
  await worker.close();
  openai.close();
});

/** Starts a server that answers each chunk of an upload with the same chunk, and drops every other connection. */
async function startServer(): Promise<Server> {
  const requests: string[] = [];
  const receive = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.url?.startsWith("/v1/uploads") !== true) return request.socket.destroy();
    response.flushHeaders();
    return request.pipe(response);
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

test("uploads and answers pass through as they come", async () => {
  // fetch would give the answer only after the whole request.
  const request = openRequest(`${worker.url}/v1/uploads/upload_1/parts`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/octet-stream" },
  });
  request.write("first");
  const [response] = z
    .tuple([z.instanceof(IncomingMessage)])
    .parse(await once(request, "response"));
  const chunks = response.setEncoding("utf8")[Symbol.asyncIterator]();
  expect((await chunks.next()).value).toBe("first");
  request.end("second");
  expect((await chunks.next()).value).toBe("second");
});

test.each([
  ["on", "its id is unknown"],
  ["off", "OpenAI's webhook will record it"],
])(
  "POST /v1/responses answers 502 may_have_started when nothing was answered, and no SDK retries it, X-Recorder-Hold: %s",
  async (hold, words) => {
    const before = openai.requests.length;
    const body = JSON.stringify({ ...EXAMPLE, background: true });
    const headers = { "x-recorder-hold": hold };
    const answer = await v1.request("/responses", { method: "POST", body, headers });
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, "false"]);
    const { error } = ApiError.parse(await answer.json());
    expect(error.code).toBe("may_have_started");
    expect(error.message).toContain(words);
    expect(error.message.includes("/results")).toBe(hold === "off");
    expect(openai.requests.slice(before)).toEqual(["POST /v1/responses"]);
  },
);

test("a forwarded request is answered 502 openai_unreachable when nothing was answered", async () => {
  for (const answer of [await v1.request("/models"), await v1.postResponse(EXAMPLE)]) {
    expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([502, null]);
    expect(ApiError.parse(await answer.json()).error.code).toBe("openai_unreachable");
  }
});
