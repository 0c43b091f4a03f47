import { expect, test } from "vitest";
import {
  describeOthers,
  findForeignWorker,
  findOtherProject,
  findRecordsId,
  type ExistingWorker,
} from "../../../../scripts/deploy/existing-worker.ts";

const NAME = "runs";
const RECORDER_BINDINGS = [
  { name: "RECORDS", type: "kv_namespace", namespace_id: "bound" },
  { name: "CATALOG", type: "durable_object_namespace" },
];
const COMPLETE = ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "ACCESS_TOKEN"];

function createWorker(secrets: string[], bindings: ExistingWorker["bindings"]): ExistingWorker {
  return { secrets: new Set(secrets), bindings };
}

test.each([
  { what: "no Worker", worker: null },
  { what: "a recorder", worker: createWorker(COMPLETE, RECORDER_BINDINGS) },
  { what: "a recorder without secrets", worker: createWorker([], RECORDER_BINDINGS) },
  { what: "a Worker with only a recorder's secrets", worker: createWorker(["ACCESS_TOKEN"], []) },
])("findForeignWorker lets a deploy replace $what", ({ worker }) => {
  expect(findForeignWorker(NAME, worker)).toBeNull();
});

test.each([
  { what: "without bindings", worker: createWorker([], []) },
  { what: "with other secrets", worker: createWorker(["DATABASE_URL"], []) },
  {
    what: "with a recorder's key and other bindings",
    worker: createWorker(["OPENAI_API_KEY"], [{ name: "DB", type: "d1" }]),
  },
])("findForeignWorker refuses a Worker $what, with the line to change", ({ worker }) => {
  expect(findForeignWorker(NAME, worker)).toContain('name = "runs-2"');
});

const recorder = createWorker(COMPLETE, RECORDER_BINDINGS);

test.each([
  { what: "its endpoint has the Worker's name", name: NAME, url: "https://a.example/webhook" },
  {
    what: "its endpoint has the Worker's host",
    name: "mine",
    url: "https://runs.acme.workers.dev",
  },
])("findOtherProject knows the key's project when $what", ({ name, url }) => {
  expect(findOtherProject(NAME, recorder, [{ name, url }])).toBeNull();
});

test.each([
  { what: "no endpoint", endpoints: [] },
  {
    what: "the endpoint of another Worker",
    endpoints: [{ name: "runs-2", url: "https://runs-2.acme.workers.dev/webhook" }],
  },
])("findOtherProject refuses a project that has $what", ({ endpoints }) => {
  expect(findOtherProject(NAME, recorder, endpoints)).toContain("--new-key");
});

test("findOtherProject lets a deploy go on that did not get to the signing secret", () => {
  const worker = createWorker(["OPENAI_API_KEY", "ACCESS_TOKEN"], RECORDER_BINDINGS);
  expect(findOtherProject(NAME, worker, [])).toBeNull();
  expect(findOtherProject(NAME, null, [])).toBeNull();
});

test("describeOthers names the endpoints of other recorders while there is no Worker of this name", () => {
  const own = { name: NAME, url: "https://runs.acme.workers.dev/webhook" };
  const other = { name: "old", url: "https://old.acme.workers.dev/webhook" };
  const unrelated = { name: "shop", url: "https://shop.example/openai" };
  expect(describeOthers(NAME, null, [own, other, unrelated])).toMatch(
    /^; OpenAI also sends to https:\/\/old\.acme\.workers\.dev\/webhook, /,
  );
  expect(describeOthers(NAME, null, [own, unrelated])).toBe("");
  expect(describeOthers(NAME, recorder, [other])).toBe("");
});

const titled = [
  { id: "other", title: "other-records" },
  { id: "left", title: "runs-records" },
];

test.each([
  {
    what: "the one that the Worker is bound to",
    worker: recorder,
    namespaces: titled,
    id: "bound",
  },
  { what: "the one with the Worker's title", worker: null, namespaces: titled, id: "left" },
  { what: "none when no title fits", worker: null, namespaces: titled.slice(0, 1), id: null },
  { what: "none when they can't be listed", worker: null, namespaces: null, id: null },
])("findRecordsId gives $what", ({ worker, namespaces, id }) => {
  expect(findRecordsId(NAME, worker, namespaces)).toBe(id);
});
