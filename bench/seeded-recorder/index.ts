// The Worker as it is, with one more route that fills KV with copies of a record.
import { app } from "../../src/app.tsx";

export * from "../../src/index.ts";

/** The list's keys count time down from here, so that the newest record comes first: src/storage/kv.ts. */
const MAX_KEY_TIME_MS = 9_999_999_999_999;
/** Older than every record of the benchmark, so that the list has the copies last. */
const COPY_KEY_TIME_MS = MAX_KEY_TIME_MS - Date.parse("2020-01-01");
const WRITE_CONCURRENCY = 100;

app.post("/seed/:id/:from/:to", async (c) => {
  const { id, from, to } = c.req.param();
  const kv = c.env.RECORDS;
  const record = (await kv.get(`record:${id}`)) ?? "";
  const { keys } = await kv.list<object>({ prefix: "index:" });
  const row = keys.find(({ name }) => name.endsWith(id));
  const writeCopy = async (n: number) => {
    const copyId = `resp_copy${String(n).padStart(6, "0")}`;
    const metadata = { ...row?.metadata, id: copyId };
    const time = String(COPY_KEY_TIME_MS + n).padStart(13, "0");
    await kv.put(`record:${copyId}`, record.replaceAll(id, copyId));
    await kv.put(`index:${time}:${copyId}`, "", { metadata });
  };
  for (let n = Number(from); n < Number(to); n += WRITE_CONCURRENCY) {
    const count = Math.min(WRITE_CONCURRENCY, Number(to) - n);
    await Promise.all(Array.from({ length: count }, (_, offset) => writeCopy(n + offset)));
  }
  return c.json({ seeded: record !== "" && row !== undefined });
});

export default app;
