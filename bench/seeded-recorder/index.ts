// The Worker as it is, with one more route that lists copies of a run.
import { app } from "../../src/app.tsx";
import { listRuns, upsertRun } from "../../src/objects/catalog/client.ts";

export * from "../../src/index.ts";

/** Older than every run of the benchmark, so that the list has the copies last. */
const COPY_TIME_MS = Date.parse("2020-01-01");
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const WRITE_CONCURRENCY = 100;
/** One copy in so many can be found by the word "seldom". */
const SELDOM = 1_000;

app.post("/seed/:id/:from/:to", async (c) => {
  const { id, from, to } = c.req.param();
  const { rows } = await listRuns(c.env, {}, null, 100);
  const row = rows.find((one) => one.id === id);
  if (row === undefined || "error" in row) return c.json({ seeded: false });
  const expiresAtMs = Date.now() + YEAR_MS;
  const listCopy = async (n: number) => {
    const copy = { ...row, id: `resp_copy${String(n).padStart(6, "0")}` };
    const text = `${copy.first_line} copy ${n} ${n % SELDOM === 0 ? "seldom" : "usual"}`;
    const entry = { row: copy, startedAtMs: COPY_TIME_MS - n, expiresAtMs, dueAtMs: null, text };
    await upsertRun(c.env, entry, 1);
  };
  for (let n = Number(from); n < Number(to); n += WRITE_CONCURRENCY) {
    const count = Math.min(WRITE_CONCURRENCY, Number(to) - n);
    await Promise.all(Array.from({ length: count }, (_, offset) => listCopy(n + offset)));
  }
  return c.json({ seeded: true });
});

export default app;
