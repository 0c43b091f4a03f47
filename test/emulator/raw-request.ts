import { request } from "node:http";

export interface RawRequest {
  method?: string;
  /** Also those that `fetch` does not allow, such as `Host`. */
  headers?: Record<string, string>;
  /** The parts of the body; without a `content-length` they are sent in chunks. */
  chunks?: string[];
}

/** Sends a request with any key; resolves to the response's status. */
export function getRawStatus(
  url: string,
  { method = "GET", headers = {}, chunks = [] }: RawRequest,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: { authorization: "Bearer sk-test", ...headers },
    });
    sent.on("error", reject).on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });
}
