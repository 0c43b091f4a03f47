import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { z } from "zod";
import { startProcessWorld } from "../support/process-world.ts";

const READS = 1_000;
const READS_AT_ONCE = 25;
/** The routes that read a run. */
const PATHS = ["", "/outputs", "/response", "/files/cfile_1", "?wait=1", "?wait=1&until=settled"];

/** The database with the alarms of a class's objects. */
const ALARMS = "metadata.sqlite";
/** The local server keeps an object's name in the object's own database. */
const NAME_TABLE = "__miniflare_do_name";

const Started = z.object({ id: z.string() });
const Tables = z.array(z.object({ name: z.string() }));
const Count = z.object({ count: z.number() });

test(`GET of ${READS} random ids leaves no object with storage or an alarm`, async () => {
  const world = await startProcessWorld({ runSeconds: 0.1, queueSeconds: 0.1 });
  try {
    const started = await world.request("/trigger", { method: "POST" });
    const { id } = Started.parse(await started.json());
    await world.request(`/results/${id}?wait=60&until=settled`);
    for (let read = 0; read < READS; read += READS_AT_ONCE) {
      const reads = Array.from({ length: READS_AT_ONCE }, async (_, index) => {
        const path = PATHS[(read + index) % PATHS.length] ?? "";
        const answer = await world.request(`/results/resp_${crypto.randomUUID()}${path}`);
        await answer.text();
        return answer.status;
      });
      expect(new Set(await Promise.all(reads))).toEqual(new Set([404]));
    }
    await world.kill();

    const folder = join(world.state, "v3/do/response-recorder-Recorder");
    const databases = readdirSync(folder).filter((name) => name.endsWith(".sqlite"));
    const objects = databases.filter((name) => name !== ALARMS).map((name) => join(folder, name));
    // Each object that was called has a file here, also when it has stored nothing.
    expect(objects.length).toBeGreaterThan(READS);
    expect(objects.filter((path) => listTables(path).length > 0)).toHaveLength(1);
    expect(countAlarms(join(folder, ALARMS))).toBe(1);
  } finally {
    await world.close();
  }
}, 300_000);

function listTables(path: string): string[] {
  const rows = query(path, "SELECT name FROM sqlite_master");
  return Tables.parse(rows).flatMap(({ name }) => (name === NAME_TABLE ? [] : [name]));
}

function countAlarms(path: string): number {
  const [row] = query(path, "SELECT count(*) AS count FROM _cf_ALARM");
  return Count.parse(row).count;
}

function query(path: string, sql: string): unknown[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare(sql).all();
}
