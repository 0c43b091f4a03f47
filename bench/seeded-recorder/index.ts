// The Worker as it is, and a door through which its store is filled.
import { app } from "../../src/app.tsx";

export * from "../../src/index.ts";

/** Copies are older than whatever is recorded now, so that the list has them last. */
const OLD = 9_999_999_999_999 - Date.parse("2020-01-01");
/** Writes at the same time. */
const WIDTH = 100;

app.post("/fill/:id/:from/:to", async (c) => {
  const { id, from, to } = c.req.param();
  const store = c.env.RECORDS;
  const record = (await store.get(`record:${id}`)) ?? "";
  const row = (await store.list<object>({ prefix: "index:" })).keys.find(({ name }) =>
    name.endsWith(id),
  );
  const copy = async (n: number) => {
    const name = `resp_copy${String(n).padStart(6, "0")}`;
    const metadata = { ...row?.metadata, id: name };
    await store.put(`record:${name}`, record.replaceAll(id, name));
    await store.put(`index:${String(OLD + n).padStart(13, "0")}:${name}`, "", { metadata });
  };
  for (let n = Number(from); n < Number(to); n += WIDTH) {
    const many = Math.min(WIDTH, Number(to) - n);
    await Promise.all(Array.from({ length: many }, (_, more) => copy(n + more)));
  }
  return c.json({ filled: record !== "" && row !== undefined });
});

export default app;
