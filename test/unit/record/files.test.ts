// Which files of a container are copied, when, and what the record says of the others.
import { expect, test } from "vitest";
import type { FileEntry } from "../../../src/record/schema.ts";
import type { Effect } from "../../../src/record/events.ts";
import { newlyEmpty } from "../../../src/record/machine/apply-files.ts";
import { State } from "../../../src/record/state.ts";
import { refetchAt, runScenario, webhookAt, type ScenarioResult } from "./scenario-runner.ts";

const CONTAINERS = ["cntr_1"];
const CAPTURED = () => ({
  http: 200,
  status: "completed",
  outputs: "populated" as const,
  body: "b",
  containers: CONTAINERS,
});
const SUSPECT = () => ({ ...CAPTURED(), outputs: "empty" as const });

function toFile(number: number): FileEntry {
  return {
    id: `cfile_${number}`,
    container_id: "cntr_1",
    filename: `${number}.csv`,
    bytes: 1,
    url: null,
    reason: null,
  };
}
const UNKNOWN = { ...toFile(0), id: "cntr_1", filename: "", reason: "expired" };

function secondsOf({ effects }: ScenarioResult, type: Effect["type"]): number[] {
  return effects.filter(({ effect }) => effect.type === type).map(({ at }) => at);
}

test("a file that is listed a moment after the end is copied, and the stored record has it", () => {
  const file = toFile(1);
  const appeared = { at: 6, event: { type: "files_appeared" as const, files: [file] } };
  const result = runScenario(CAPTURED, { events: [webhookAt(1), appeared] });
  expect(secondsOf(result, "find_files")).toEqual([1]);
  expect(secondsOf(result, "copy_file")).toEqual([6]);
  expect(result.record.files).toMatchObject([{ ...file, url: "/results/resp_1/files/cfile_1" }]);
  expect(result.stored.at(-1)?.files).toHaveLength(1);
});

test("a container that has expired when it is asked once more changes nothing", () => {
  const appeared = { at: 6, event: { type: "files_appeared" as const, files: [UNKNOWN] } };
  const result = runScenario(CAPTURED, { events: [webhookAt(1), appeared] });
  expect(result.record.files).toEqual([]);
  expect(result.stored).toHaveLength(1);
});

test("only a list that is empty for the first time is asked for once more", () => {
  const { states } = runScenario(CAPTURED, { events: [webhookAt(1)] });
  const last = states.findLast((state) => state?.kind === "run") ?? null;
  expect(newlyEmpty(states[0] ?? null, { empty: CONTAINERS })).toEqual(CONTAINERS);
  expect(newlyEmpty(last, { empty: CONTAINERS })).toEqual([]);
});

test("a list that has files is asked once", () => {
  const result = runScenario(CAPTURED, { events: [webhookAt(1)], files: [toFile(1)] });
  expect(secondsOf(result, "find_files")).toEqual([1]);
});

test("a run without a container asks for no files", () => {
  const result = runScenario(() => ({ ...CAPTURED(), containers: [] }), { events: [webhookAt(1)] });
  expect(secondsOf(result, "find_files")).toEqual([]);
});

test("a refetch by hand copies what could not be copied, and nothing a second time", () => {
  const result = runScenario(CAPTURED, {
    events: [webhookAt(1), refetchAt(600)],
    files: [toFile(1), toFile(2)],
    effects: (effect, seconds) =>
      effect.type === "copy_file" && effect.file.id === "cfile_2" && seconds < 600
        ? "failed"
        : "done",
  });
  const copied = result.effects.flatMap(({ at, effect }) =>
    effect.type === "copy_file" ? [[effect.file.id, at >= 600]] : [],
  );
  expect(copied.filter(([id]) => id === "cfile_1")).toEqual([["cfile_1", false]]);
  expect(copied.at(-1)).toEqual(["cfile_2", true]);
  expect(result.stored.at(-1)?.files).toMatchObject([
    { id: "cfile_1", reason: null },
    { id: "cfile_2", reason: null, url: "/results/resp_1/files/cfile_2" },
  ]);
});

test("a scheduled refetch tries a copy again that failed, and names OpenAI's words until it succeeds", () => {
  const result = runScenario(SUSPECT, {
    events: [webhookAt(1)],
    files: [toFile(1)],
    effects: (effect, seconds) => (effect.type === "copy_file" && seconds < 50 ? "failed" : "done"),
  });
  const failed = result.states.findLast(
    (state) => state?.kind === "run" && state.record.files[0]?.url === null,
  );
  expect(failed?.kind === "run" && failed.record.files[0]?.reason).toContain("6 attempts: refused");
  expect(result.record.files).toMatchObject([{ id: "cfile_1", reason: null }]);
});

test("a scheduled refetch searches no container again whose files are copied, or that has none", () => {
  for (const files of [[toFile(1)], []]) {
    const result = runScenario(SUSPECT, { events: [webhookAt(1)], files });
    expect(secondsOf(result, "find_files")).toHaveLength(1);
  }
});

test("a container that has expired when it is searched again takes no name and no reason from what was known", () => {
  const empty = runScenario(CAPTURED, {
    events: [webhookAt(1), refetchAt(9_000)],
    files: (seconds) => (seconds < 9_000 ? [] : [UNKNOWN]),
  });
  expect(secondsOf(empty, "find_files")).toEqual([1, 9_000]);
  expect(empty.record.files).toEqual([]);
  const failed = runScenario(CAPTURED, {
    events: [webhookAt(1), refetchAt(9_000)],
    files: (seconds) => (seconds < 9_000 ? [toFile(1)] : [UNKNOWN]),
    effects: ({ type }) => (type === "copy_file" ? "failed" : "done"),
  });
  expect(failed.record.files).toMatchObject([{ id: "cfile_1", url: null }]);
});

test("a container that could not be listed is searched again by a refetch, and its entry makes room for its files", () => {
  const result = runScenario(CAPTURED, {
    events: [webhookAt(1), refetchAt(600)],
    files: [toFile(1)],
    effects: ({ type }, seconds) => (type === "find_files" && seconds < 600 ? "failed" : "done"),
  });
  expect(secondsOf(result, "find_files")).toHaveLength(7);
  expect(result.record.files).toMatchObject([{ id: "cfile_1", reason: null }]);
});

test("a state of the version before, without what is to be asked again, can be read", () => {
  const { states } = runScenario(CAPTURED, { events: [webhookAt(1)], files: [toFile(1)] });
  const state = states.findLast((one) => one?.kind === "run");
  if (state?.kind !== "run") throw new Error("The run never began.");
  const { empty: _, failed: __, ...files } = state.files;
  expect(State.parse({ ...state, files })).toMatchObject({ files: { empty: [], failed: [] } });
});
