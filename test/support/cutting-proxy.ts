// A proxy in front of a server, which closes connections in the middle of answers.
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline, Transform } from "node:stream";

export type CuttingProxy = {
  url: string;
  /** The paths of the requests so far, without their queries. */
  paths: string[];
  /** Cuts the next answers to a path after so many bytes. */
  cut(path: RegExp, afterBytes: number, times: number): void;
  close(): Promise<void>;
};

/**
 * Starts a proxy.
 * @param target The server's origin.
 */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const paths: string[] = [];
  let rule = { path: /^$/, afterBytes: 0, times: 0 };
  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url ?? "", target);
    paths.push(pathname);
    const isCut = rule.times > 0 && rule.path.test(pathname);
    if (isCut) rule.times -= 1;
    forward(target, incoming, answer, isCut ? rule.afterBytes : Infinity);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    paths,
    cut(path, afterBytes, times) {
      rule = { path, afterBytes, times };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(
  target: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  leftBytes: number,
): void {
  const { method, headers } = incoming;
  const upstream = request(new URL(incoming.url ?? "", target), { method, headers });
  upstream.on("response", (received) => {
    answer.writeHead(received.statusCode ?? 502, received.headers);
    pipeline(received, cutAfter(leftBytes), answer, () => answer.destroy());
  });
  upstream.on("error", () => answer.destroy());
  pipeline(incoming, upstream, () => undefined);
}

function cutAfter(maxBytes: number): Transform {
  let left = maxBytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const part = chunk.subarray(0, left);
      left -= part.byteLength;
      this.push(part);
      // What was pushed goes out before the connection closes.
      if (left > 0) done();
      else setTimeout(() => done(new Error("The answer is cut here.")), 50);
    },
  });
}
