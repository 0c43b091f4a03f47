// Lists of files that come late, and copies that fail until somebody mends the key.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ResponseRecord } from "../../src/record/schema.ts";
import { containing } from "../support/matchers.ts";
import { sendJson, startStandIn, toResponse, type StandIn } from "../support/openai-stand-in.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

/** When the stand-in's responses were created. */
const CREATED_AT = 1_700_000_000;

type ListedFile = { id: string; created_at?: number; source?: string };

let standIn: StandIn;
let world: World;
let runs = 0;
/** The files that each search of a container finds; the last one repeats. */
let lists: ListedFile[][];
/** The files whose content the key may not read. */
let forbidden: Set<string>;

beforeAll(async () => {
  standIn = await startStandIn(({ method, path }, response) => {
    if (method === "POST") {
      runs += 1;
      return sendJson(response, toResponse({ id: `resp_${runs}`, background: true }, "queued"));
    }
    const [, , kind, id = "", , file, content] = path.split("/");
    if (kind === "responses") return sendJson(response, toResponse({ id, background: true }));
    if (path.endsWith("/files")) {
      const data = (lists.length > 1 ? lists.shift() : lists[0])?.map(toListed) ?? [];
      return sendJson(response, { object: "list", data, has_more: false });
    }
    if (content === undefined) return sendJson(response, { id, created_at: CREATED_AT });
    if (!forbidden.has(file ?? "")) return response.end(`content of ${file}`);
    const message = "Missing scopes: api.containers.read of sk-proj-abcdef";
    return sendJson(response, { error: { message, code: null } }, 403);
  });
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "0", REFETCH_DELAYS: "1" };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  standIn.requests.length = 0;
  lists = [[]];
  forbidden = new Set();
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

function toListed({ id, created_at = CREATED_AT + 1, source = "assistant" }: ListedFile): object {
  return { id, created_at, source, path: `/mnt/data/${id}.txt`, bytes: null };
}

function countRequests(end: RegExp): number {
  return standIn.requests.filter(({ path }) => end.test(path)).length;
}

async function readFiles(id: string): Promise<unknown[]> {
  const answer = await world.request(`/results/${id}`);
  return ResponseRecord.parse(await answer.json()).files;
}

test("a list that was empty for a moment is asked for once more, and the file is copied", async () => {
  lists = [[], [{ id: "cfile_late" }]];
  const { id, files } = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(files).toEqual([]);
  const later = await waitFor(
    () => readFiles(id),
    (found) => found.length > 0,
  );
  expect(later).toMatchObject([{ id: "cfile_late", reason: null }]);
  const content = await world.request(`/results/${id}/files/cfile_late`);
  expect(await content.text()).toBe("content of cfile_late");
  expect(countRequests(/\/files$/)).toBe(2);
});

test("a list that stays empty is asked for twice, and again by a refetch by hand", async () => {
  const { id } = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  await waitFor(
    () => Promise.resolve(countRequests(/\/files$/)),
    (count) => count === 2,
  );
  expect(countRequests(/\/containers\/[^/]+$/)).toBe(0);
  lists = [[{ id: "cfile_later" }]];
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  const found = await waitFor(
    () => readFiles(id),
    (files) => files.length > 0,
  );
  expect(found).toMatchObject([{ id: "cfile_later", reason: null }]);
});

test("a copy that the key may not make says what to do, and a refetch by hand makes it, and no other a second time", async () => {
  lists = [[{ id: "cfile_a" }, { id: "cfile_b" }]];
  forbidden = new Set(["cfile_b"]);
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record.files).toMatchObject([
    { id: "cfile_a", reason: null },
    { id: "cfile_b", url: null, reason: containing("Missing scopes: api.containers.read") },
  ]);
  const [, failed] = record.files;
  expect(failed?.reason).toContain("OPENAI_API_KEY");
  expect(failed?.reason).toContain("permission");
  expect(failed?.reason).toContain("Refetch the response");
  expect(failed?.reason).not.toContain("abcdef");
  forbidden = new Set();
  await world.request(`/results/${record.id}/refetch`, { method: "POST" });
  const mended = await world.waitUntilSettled(record.id);
  expect(mended.files).toMatchObject([
    { id: "cfile_a", reason: null },
    { id: "cfile_b", reason: null },
  ]);
  const content = await world.request(`/results/${record.id}/files/cfile_b`);
  expect(await content.text()).toBe("content of cfile_b");
  expect(countRequests(/cfile_a\/content$/)).toBe(1);
});

test("a file that OpenAI's clock made a second before the response is copied, and an earlier run's is not", async () => {
  lists = [
    [
      { id: "cfile_before", created_at: CREATED_AT - 1 },
      { id: "cfile_old", created_at: CREATED_AT - 3_600 },
      { id: "cfile_uploaded", source: "user" },
    ],
  ];
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record.files).toMatchObject([{ id: "cfile_before", reason: null }]);
  expect(record.files).toHaveLength(1);
});
