// Arbitrary answers of OpenAI's: documented shapes with odd members at any place, and what is no JSON at all.
import * as fc from "fast-check";

/** An answer. In its texts `__N__` stands for the number of the case. */
export type UpstreamAnswer = { status: number; type: string; body: string };

/** What one case's requests are answered with. The answers of a list come one after another; the last one repeats. */
export type UpstreamAnswers = {
  create: UpstreamAnswer;
  retrieve: UpstreamAnswer[];
  replay: UpstreamAnswer;
  items: UpstreamAnswer;
  files: UpstreamAnswer[];
  container: UpstreamAnswer;
  content: UpstreamAnswer;
  cancel: UpstreamAnswer;
  remove: UpstreamAnswer;
};

const JSON_TYPE = "application/json";
const CALL = {
  id: "ci___N__",
  type: "code_interpreter_call",
  status: "completed",
  code: "print('x')",
  container_id: "cntr___N__",
  outputs: [
    { type: "logs", logs: "x\n" },
    { type: "image", url: "data:image/png;base64,iVBORw0KGgo=" },
  ],
};
const MESSAGE = {
  id: "msg___N__",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [
    {
      type: "output_text",
      text: "done",
      logprobs: [],
      annotations: [
        {
          type: "container_file_citation",
          container_id: "cntr___N__",
          file_id: "cfile___N__",
          filename: "x.csv",
          start_index: 0,
          end_index: 1,
        },
      ],
    },
  ],
};

function toResponse(status: string, output: unknown[]): object {
  return {
    id: "resp___N__",
    object: "response",
    created_at: 1_700_000_000,
    completed_at: status === "completed" ? 1_700_000_009 : null,
    status,
    background: true,
    error: status === "failed" ? { code: "server_error", message: "It broke." } : null,
    incomplete_details: null,
    model: "m",
    store: true,
    conversation: { id: "conv___N__" },
    metadata: { user: "u" },
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
    output,
  };
}

const QUEUED = toResponse("queued", []);
const ENDED = toResponse("completed", [CALL, MESSAGE]);
const EMPTY = toResponse("completed", [{ ...CALL, outputs: [] }, MESSAGE]);
const FAILED = toResponse("failed", []);
const RUNNING = toResponse("in_progress", []);
const EVENTS = [
  { type: "response.created", sequence_number: 0, response: RUNNING },
  { type: "response.in_progress", sequence_number: 1, response: RUNNING },
  { type: "response.output_item.added", sequence_number: 2, output_index: 0, item: CALL },
  { type: "response.output_item.done", sequence_number: 3, output_index: 0, item: CALL },
  { type: "response.output_item.done", sequence_number: 4, output_index: 1, item: MESSAGE },
  { type: "response.completed", sequence_number: 5, response: ENDED },
];
const ERROR = {
  error: { message: "It is refused.", type: "invalid_request_error", param: "x", code: "odd" },
};
const ITEMS = { object: "list", data: [MESSAGE, CALL], has_more: false, last_id: "ci___N__" };
const FILE = {
  id: "cfile___N__",
  object: "container.file",
  created_at: 1_700_000_005,
  bytes: 3,
  container_id: "cntr___N__",
  path: "/mnt/data/x.csv",
  source: "assistant",
};
const FILES = { object: "list", data: [FILE], has_more: false, last_id: "cfile___N__" };
const CONTAINER = { id: "cntr___N__", object: "container", created_at: 1_700_000_000 };
const DELETED = { id: "resp___N__", object: "response", deleted: true };

/** Values as JSON text: not all of them can be written by JSON.stringify. */
const FRAGMENTS = [
  ["null", "true", "0", "-1", "-0", "1.5", "1700000000000", "1e300", "1e999", "-1e999"],
  ["9007199254740993", '""', '"NaN"', '"Infinity"', '"1700000000"', '".."', '"../../x?a#b"'],
  ['"\\ud800"', '"\\udc00x"', '"\\u0000"', '"a\\nb\\u2028"', '"<script>alert(1)</script>"'],
  ["[]", "{}", "[null]", "[[]]", '[{"type":null}]', '{"__proto__":{"x":1}}'],
  ['{"constructor":null,"toString":1,"hasOwnProperty":2}', '{"id":{},"type":[]}'],
  ['"completed"', '"failed"', '"queued"', '"resp_other"', '"__proto__"', '"ci/../x"'],
  [`"${"s".repeat(1_200)}"`],
  [`"${"é".repeat(70_000)}"`],
  [`${"[".repeat(1_500)}${"]".repeat(1_500)}`],
  [`${'{"a":'.repeat(900)}1${"}".repeat(900)}`],
].flat();
const fragment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)) },
);

/** A change of a document: where, in which way, and to what. */
const change = fc.record({
  at: fc.nat(10_000),
  how: fc.constantFrom("replace", "replace", "replace", "duplicate", "remove", "rename"),
  to: fragment,
});
type Change = { at: number; how: string; to: string };

/** A member of an object, or an element of an array. */
type Place = { parent: object; key: string };

function listPlaces(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key): Place[] => [
    { parent: value, key },
    ...listPlaces(Reflect.get(value, key)),
  ]);
}

/** A document as JSON, with changes. */
function toChangedJson(document: object, changes: Change[]): string {
  const copy: unknown = structuredClone(document);
  const raw: string[] = [];
  for (const { at, how, to } of changes) {
    const places = listPlaces(copy);
    const place = places[at % Math.max(1, places.length)];
    if (place === undefined) continue;
    applyChange(place, how, to, raw);
  }
  return insertRaw(JSON.stringify(copy), raw);
}

function applyChange({ parent, key }: Place, how: string, to: string, raw: string[]): void {
  const before: unknown = Reflect.get(parent, key);
  const add = (text: string) => `@@${raw.push(text) - 1}@@`;
  const isMember = !Array.isArray(parent);
  if (how === "remove") {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent, key);
    return;
  }
  if (how === "rename" && isMember) {
    Reflect.deleteProperty(parent, key);
    Reflect.set(parent, `${key}x`, before);
    return;
  }
  const isTwice = how === "duplicate" && isMember;
  const old = JSON.stringify(before) ?? "null";
  Reflect.set(parent, key, add(isTwice ? `${old},${JSON.stringify(key)}:${to}` : to));
}

// A change can stand in what another one replaced.
function insertRaw(json: string, raw: string[]): string {
  const next = json.replaceAll(/"@@(\d+)@@"/g, (_, index: string) => raw[Number(index)] ?? "null");
  return next === json ? json : insertRaw(next, raw);
}

const changes = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Change[]>([]) },
  { weight: 4, arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }) },
);
const NO_RESPONSES = [
  "",
  "[]",
  "null",
  "1",
  '"x"',
  "{",
  "{}",
  "<html><body>502</body></html>",
  "\u0000",
];

/** A body: a document with changes, or something else. */
function arbitraryBody(...documents: object[]): fc.Arbitrary<string> {
  const changed = fc
    .tuple(fc.constantFrom(...documents), changes)
    .map(([document, made]) => toChangedJson(document, made));
  return fc.oneof(
    { weight: 12, arbitrary: changed },
    { weight: 1, arbitrary: changed.map((json) => `\ufeff${json}`) },
    { weight: 1, arbitrary: changed.map((json) => `\n\t ${json}\r\n\n`) },
    { weight: 1, arbitrary: changed.map((json) => json.slice(0, json.length / 2)) },
    { weight: 1, arbitrary: fc.constantFrom(...NO_RESPONSES) },
    { weight: 1, arbitrary: fc.json() },
  );
}

const failure = fc
  .tuple(
    fc.constantFrom(302, 400, 401, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503, 599),
    arbitraryBody(ERROR),
  )
  .map(([status, body]): UpstreamAnswer => ({ status, type: JSON_TYPE, body }));

const jsonType = fc.constantFrom(JSON_TYPE, JSON_TYPE, JSON_TYPE, JSON_TYPE, "text/html", "x");

function arbitraryAnswer(...documents: object[]): fc.Arbitrary<UpstreamAnswer> {
  const success = fc
    .tuple(jsonType, arbitraryBody(...documents))
    .map(([type, body]): UpstreamAnswer => ({ status: 200, type, body }));
  return fc.oneof({ weight: 6, arbitrary: success }, { weight: 1, arbitrary: failure });
}

/** A create that starts a run: what is odd is the rest of it. */
const plainCreate = fc.constantFrom(QUEUED, RUNNING, ENDED).map((document): UpstreamAnswer => {
  return { status: 200, type: JSON_TYPE, body: JSON.stringify(document) };
});

/** The events of a stream, of which some have changes, are missing, or are none. */
const streamBody = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(EVENTS.length - 1), changes), { maxLength: 3 }),
    fc.array(fc.nat(EVENTS.length), { maxLength: 1 }),
    fc.option(fc.tuple(fc.nat(EVENTS.length), fc.oneof(fragment, arbitraryBody(ERROR))), {
      freq: 4,
    }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.boolean(),
  )
  .map(([changed, missing, extra, lineEnd, isDone]) => {
    const events = EVENTS.flatMap((event, index) => {
      if (missing.includes(index)) return [];
      const made = changed.flatMap(([at, list]) => (at === index ? list : []));
      return [toChangedJson(event, made)];
    });
    if (extra !== null) events.splice(extra[0], 0, extra[1].replaceAll(/[\r\n]/g, " "));
    const all = isDone ? [...events, "[DONE]"] : events;
    return all.map((json) => `data: ${json}${lineEnd}${lineEnd}`).join("");
  });

const stream = streamBody.map((body): UpstreamAnswer => ({
  status: 200,
  type: "text/event-stream",
  body,
}));

/**
 * Returns the answers of a case.
 * @param isStreamed Whether its create is answered with events.
 */
export function arbitraryAnswers(isStreamed: boolean): fc.Arbitrary<UpstreamAnswers> {
  const odd = arbitraryAnswer(QUEUED, RUNNING, ENDED);
  const create = isStreamed
    ? fc.oneof({ weight: 6, arbitrary: stream }, { weight: 1, arbitrary: odd })
    : fc.oneof(plainCreate, odd);
  const retrieve = arbitraryAnswer(ENDED, ENDED, EMPTY, FAILED, RUNNING);
  const files = arbitraryAnswer(FILES);
  return fc.record({
    create,
    retrieve: fc.array(retrieve, { minLength: 2, maxLength: 3 }),
    replay: fc.oneof(stream, arbitraryAnswer(ENDED)),
    items: arbitraryAnswer(ITEMS),
    files: fc.array(files, { minLength: 1, maxLength: 2 }),
    container: arbitraryAnswer(CONTAINER),
    content: fc.oneof(
      fc.constant({ status: 200, type: "text/csv", body: "a,b" }),
      arbitraryAnswer(FILE),
    ),
    cancel: arbitraryAnswer(toResponse("cancelled", [])),
    remove: arbitraryAnswer(DELETED),
  });
}
