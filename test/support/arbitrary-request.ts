// Random requests to the contract's routes.
import * as fc from "fast-check";
import type { ContractRoute } from "./contract.ts";
import { READ_TOKEN, TOKEN, WEBHOOK_SECRET } from "./credentials.ts";
import type { RawRequest } from "./raw-client.ts";
import { signWebhook } from "./sign-webhook.ts";

/** Stands in a path where the id of a recorded response goes. */
export const KNOWN_ID = "{known}";
const IDS = [
  KNOWN_ID,
  KNOWN_ID,
  KNOWN_ID,
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
const waits = fc.constantFrom("0", "1", "x", "-1", "61");
const visibleText = fc.stringMatching(/^[\x21-\x7e]{0,40}$/);

/** Returns an arbitrary of requests to some routes. */
export function arbitraryRequest(routes: readonly ContractRoute[]): fc.Arbitrary<RawRequest> {
  return fc
    .tuple(arbitraryTarget(routes), arbitraryHeaders(), bodies, fc.boolean())
    .map(([[method, path, search], headers, [type, body], isSigned]): RawRequest => {
      const isBodiless = ["GET", "HEAD"].includes(method);
      const typed: Record<string, string> =
        isBodiless || type === null ? {} : { "content-type": type };
      const signed =
        path.includes("/webhook") && isSigned ? signWebhook(body ?? "", WEBHOOK_SECRET) : {};
      return {
        method,
        path: `${path}${search}`,
        headers: { ...headers, ...typed, ...signed },
        body: isBodiless ? null : body,
      };
    });
}

function arbitraryTarget(routes: readonly ContractRoute[]): fc.Arbitrary<[string, string, string]> {
  const anyMethod = fc.constantFrom("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH");
  const target = fc.constantFrom(...routes).chain(({ method, path, query }) =>
    fc.tuple(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant(method.toUpperCase()) },
        { weight: 1, arbitrary: anyMethod },
      ),
      fc.constantFrom(...IDS).map((id) => path.replaceAll(/\{\w+\}/g, () => id)),
      arbitraryQuery(query),
    ),
  );
  return fc
    .tuple(target, pathChange, fc.nat(60))
    .map(([[method, path, search], change, at]) => [method, change(path, at), search]);
}

// Most paths stay as they are.
const pathChange = fc.constantFrom<(path: string, at: number) => string>(
  ...Array.from({ length: 8 }, () => (path: string) => path),
  (path) => `${path}/`,
  (path) => path.replaceAll("/", "//"),
  (path) => path.toUpperCase(),
  (path) => `${path}/..`,
  (path) => `/./${path.slice(1)}`,
  (path, at) => path.slice(0, at + 1),
  (path, at) => `${path.slice(0, at + 1)}%2f${path.slice(at + 1)}`,
  (path, at) =>
    path.replaceAll(/[a-z]/g, (letter, where) => (where === at ? percentEncode(letter) : letter)),
);

function percentEncode(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`;
}

const UNKNOWN_PARAMS = ["x", "limit", "wait", "__proto__", "%00", "metadata[a]"];

// Mostly of the route's own parameters: an unknown one, or one that is there twice, is refused before its route runs.
function arbitraryQuery(known: string[]): fc.Arbitrary<string> {
  const pair = fc
    .constantFrom(...known, ...known, ...known, ...UNKNOWN_PARAMS)
    .chain((name) => fc.tuple(fc.constant(name), name === "wait" ? waits : value));
  return fc
    .array(pair, { maxLength: 3 })
    .map((pairs) => pairs.map(([name, text]) => `${name}=${text}`).join("&"))
    .map((text) => (text === "" ? "" : `?${text}`));
}

function arbitraryHeaders(): fc.Arbitrary<Record<string, string>> {
  const authorization = fc.constantFrom(
    ...Array.from({ length: 4 }, () => `Bearer ${TOKEN}`),
    ...Array.from({ length: 2 }, () => `Bearer ${READ_TOKEN}`),
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
            visibleText,
            visibleText.map((text) => `session=${text}`),
          ),
          origin: fc.constantFrom("null", "https://elsewhere.example", "x"),
          "idempotency-key": visibleText,
          "last-event-id": fc.constantFrom("0", "-1", "x", "99999999999999999999"),
          "webhook-id": visibleText,
          "webhook-timestamp": visibleText,
          "webhook-signature": visibleText,
          range: visibleText,
          "if-none-match": visibleText,
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
    hold: fc.jsonValue(),
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
