// The Worker as it is, with one more route that stores and lists copies of a record.
import { app } from "../../src/app.tsx";
import { listRuns, upsertRun } from "../../src/objects/catalog/client.ts";

export * from "../../src/index.ts";

/** Older than every record of the benchmark, so that the list has the copies last. */
const COPY_TIME_MS = Date.parse("2020-01-01");
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const WRITE_CONCURRENCY = 100;

app.post("/seed/:id/:from/:to", async (c) => {
  const { id, from, to } = c.req.param();
  const kv = c.env.RECORDS;
  const record = (await kv.get(`record:${id}`)) ?? "";
  const { rows } = await listRuns(c.env, {}, null, 100);
  const row = rows.find((one) => one.id === id);
  if (record === "" || row === undefined) return c.json({ seeded: false });
  const expiresAtMs = Date.now() + YEAR_MS;
  const writeCopy = async (n: number) => {
    const copy = { ...row, id: `resp_copy${String(n).padStart(6, "0")}` };
    const startedAtMs = COPY_TIME_MS - n;
    await kv.put(`record:${copy.id}`, record.replaceAll(id, copy.id));
    const text = `${copy.first_line} copy ${n}`;
    await upsertRun(c.env, { row: copy, startedAtMs, expiresAtMs, dueAtMs: null, text }, 1);
  };
  for (let n = Number(from); n < Number(to); n += WRITE_CONCURRENCY) {
    const count = Math.min(WRITE_CONCURRENCY, Number(to) - n);
    await Promise.all(Array.from({ length: count }, (_, offset) => writeCopy(n + offset)));
  }
  return c.json({ seeded: true });
});

export default app;
