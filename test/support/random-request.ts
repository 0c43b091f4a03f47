// Random requests over the contract's routes, sent as they are: a client that tidies paths up would hide half of them.
import { Agent, request as open } from "node:http";
import * as fc from "fast-check";
import { sign } from "./sign.ts";
import { TOKEN, WEBHOOK_SECRET } from "./world.ts";

/** Milliseconds after which an answer counts as one that never comes. */
const LONGEST = 45_000;

export type Asked = {
  method: string;
  /** With `{known}` where the id of a recorded response goes. */
  path: string;
  headers: Record<string, string>;
  body: string | null;
};

export type Answered = {
  status: number;
  headers: Headers;
  /** Null where there is none, or where it goes on. */
  body: string | null;
};

const KNOWN = "{known}";
const IDS = [
  KNOWN,
  KNOWN,
  KNOWN,
  "x .. . % %2e%2e ..%2fhealth %00 %ff constructor __proto__ null -1".split(" "),
  "resp_ resp_unknown resp_%00 resp_%c3%a9 resp_1%0d%0aX-A:%201".split(" "),
  `resp_${"a".repeat(95)}`,
  `resp_${"a".repeat(96)}`,
  "resp_".repeat(1_000),
].flat();
const VALUES = ["0", "1", "25", "-1", "101", "1e9", "x", "", "null", "%00", "%", "lost", "pending"];
const ACCEPTED = ["*/*", "text/html", "application/json", "text/html;q=0.5", "x", "text/plain"];
const FORM = "application/x-www-form-urlencoded";
const TYPES = ["application/json", FORM, "multipart/form-data; boundary=x", "text/plain", "x/y"];

const value = fc.oneof(fc.constantFrom(...VALUES), fc.string().map(encodeURIComponent));
const visible = fc.stringMatching(/^[\x21-\x7e]{0,40}$/);

/**
 * Random requests.
 * @param routes The contract's: a method and a path with its parameters in braces.
 */
export function requests(routes: readonly [string, string][]): fc.Arbitrary<Asked> {
  return fc
    .tuple(routeOf(routes), query, headers(), bodies, fc.boolean())
    .map(([[method, path], search, more, [type, body], signed]): Asked => {
      const bare = ["GET", "HEAD"].includes(method);
      const typed: Record<string, string> = bare || type === null ? {} : { "content-type": type };
      const events = path.includes("/webhook") && signed ? sign(body ?? "", WEBHOOK_SECRET) : {};
      return {
        method,
        path: `${path}${search}`,
        headers: { ...more, ...typed, ...events },
        body: bare ? null : body,
      };
    });
}

function routeOf(routes: readonly [string, string][]): fc.Arbitrary<[string, string]> {
  const method = fc.constantFrom("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH");
  const known = fc.constantFrom(...routes).chain(([usual, path]) =>
    fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(usual.toUpperCase()) },
        { weight: 1, arbitrary: method },
      ),
      fc.constantFrom(...IDS).map((id) => path.replaceAll(/\{\w+\}/g, () => id)),
    ),
  );
  return fc
    .tuple(known, bend, fc.nat(60))
    .map(([[how, path], change, at]) => [how, change(path, at)]);
}

// Most paths stay as they are.
const bend = fc.constantFrom<(path: string, at: number) => string>(
  ...Array.from({ length: 8 }, () => (path: string) => path),
  (path) => `${path}/`,
  (path) => path.replaceAll("/", "//"),
  (path) => path.toUpperCase(),
  (path) => `${path}/..`,
  (path) => `/./${path.slice(1)}`,
  (path, at) => path.slice(0, at + 1),
  (path, at) => `${path.slice(0, at + 1)}%2f${path.slice(at + 1)}`,
  (path, at) =>
    path.replaceAll(/[a-z]/g, (letter, where) => (where === at ? encoded(letter) : letter)),
);

function encoded(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`;
}

const names = fc.constantFrom("limit", "cursor", "verdict", "status", "follow", "next", "x");
const query = fc
  .array(
    fc.oneof(
      fc.tuple(names, value),
      fc.tuple(fc.constant("wait"), fc.constantFrom("0", "1", "x", "-1", "61")),
    ),
    {
      maxLength: 3,
    },
  )
  .map((pairs) => pairs.map(([key, text]) => `${key}=${text}`).join("&"))
  .map((text) => (text === "" ? "" : `?${text}`));

function headers(): fc.Arbitrary<Record<string, string>> {
  const authorization = fc.constantFrom(
    ...Array.from({ length: 4 }, () => `Bearer ${TOKEN}`),
    "",
    "Bearer",
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `bearer  ${TOKEN}`,
  );
  return fc
    .tuple(
      fc.record({ authorization, accept: fc.constantFrom(...ACCEPTED) }),
      fc.record(
        {
          cookie: fc.oneof(
            visible,
            visible.map((text) => `session=${text}`),
          ),
          origin: fc.constantFrom("null", "https://elsewhere.example", "x"),
          "idempotency-key": visible,
          "last-event-id": fc.constantFrom("0", "-1", "x", "99999999999999999999"),
          "webhook-id": visible,
          "webhook-timestamp": visible,
          "webhook-signature": visible,
          range: visible,
          "if-none-match": visible,
        },
        { requiredKeys: [] },
      ),
    )
    .map(([always, sometimes]) => ({ ...always, ...sometimes }));
}

const parameters = fc.record(
  {
    input: fc.oneof(fc.string(), fc.jsonValue()),
    model: fc.oneof(fc.string(), fc.jsonValue()),
    tools: fc.jsonValue(),
    include: fc.jsonValue(),
    metadata: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
    background: fc.jsonValue(),
    store: fc.jsonValue(),
    stream: fc.jsonValue(),
    control: fc.jsonValue(),
    replay: fc.jsonValue(),
    retention_days: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const event = fc.record({
  type: fc.oneof(fc.constantFrom("response.completed", "batch.completed"), fc.jsonValue()),
  // Never the id of a response: that would be a real webhook.
  data: fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.oneof(fc.constantFrom("../x", "resp_", "%00"), fc.jsonValue()) }),
  ),
});
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.oneof(parameters, event).map((one) => JSON.stringify(one)),
  fc.constantFrom(
    "{",
    "[]",
    "null",
    '{"a":1,"a":2}',
    '{"__proto__":{"control":true}}',
    '{"input":"\ud800"}',
  ),
  fc.webQueryParameters(),
  fc.constantFrom(
    "--x\r\n",
    '--x\r\ncontent-disposition: form-data; name="input"\r\n\r\n1\r\n--x--',
    "input=%",
  ),
);
const bodies = fc.tuple(fc.option(fc.constantFrom(...TYPES)), fc.option(text));

/** Sends requests to a Worker. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Sends one, and reads its answer; of a stream of events only its beginning.
   * @param asked What to send, with a recorded response's id in its place.
   */
  send({ method, path, headers: given, body }: Asked): Promise<Answered> {
    const { hostname, port } = new URL(this.#url);
    const bytes = body === null ? null : Buffer.from(body);
    // Node leaves it out for DELETE and others, and the body would be read as the next request.
    const length = bytes === null ? {} : { "content-length": String(bytes.byteLength) };
    const all = { ...given, ...length };
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, hostname, port, method, path, headers: all };
      const sent = open(options, (answer) => {
        const { statusCode: status = 0, rawHeaders } = answer;
        const found = headersOf(rawHeaders);
        if (found.get("content-type")?.startsWith("text/event-stream") === true) {
          resolve({ status, headers: found, body: null });
          answer.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () =>
          resolve({ status, headers: found, body: Buffer.concat(chunks).toString() || null }),
        );
        answer.on("error", reject);
      });
      sent.setTimeout(LONGEST, () => sent.destroy(new Error("no answer came")));
      sent.on("error", reject);
      sent.end(bytes);
    });
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function headersOf(raw: string[]): Headers {
  const found = new Headers();
  for (let at = 0; at + 1 < raw.length; at += 2) found.append(raw[at] ?? "", raw[at + 1] ?? "");
  return found;
}
