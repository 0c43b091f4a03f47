// Sends requests exactly as they are written: other clients normalise paths, which would hide half of what tests try.
import { Agent, request as openRequest } from "node:http";

/** Far longer than any answer takes. */
const ANSWER_TIMEOUT_MS = 45_000;

export type RawRequest = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
};

export type RawResponse = {
  status: number;
  headers: Headers;
  /** Null if it is empty, and for an event stream. */
  body: string | null;
};

export class RawClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #url: string;

  /** @param url The server's origin. */
  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a request, and reads the response; of an event stream only status and headers. */
  send({ method, path, headers, body }: RawRequest): Promise<RawResponse> {
    const { hostname, port } = new URL(this.#url);
    const bytes = body === null ? null : Buffer.from(body);
    // Node omits the length for DELETE and others, and the server would read the body as the next request.
    const length = bytes === null ? {} : { "content-length": String(bytes.byteLength) };
    const all = { ...headers, ...length };
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, hostname, port, method, path, headers: all };
      const request = openRequest(options, (response) => {
        const { statusCode: status = 0, rawHeaders } = response;
        const received = toHeaders(rawHeaders);
        if (received.get("content-type")?.startsWith("text/event-stream") === true) {
          resolve({ status, headers: received, body: null });
          response.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status, headers: received, body: Buffer.concat(chunks).toString() || null }),
        );
        response.on("error", reject);
      });
      const error = new Error(`${method} ${path}: no answer within ${ANSWER_TIMEOUT_MS} ms`);
      request.setTimeout(ANSWER_TIMEOUT_MS, () => request.destroy(error));
      request.on("error", reject);
      request.end(bytes);
    });
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function toHeaders(raw: string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? "", raw[at + 1] ?? "");
  return headers;
}
