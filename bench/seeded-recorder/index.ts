// The Worker as it is, with one more route that lists made-up runs.
import { app } from "../../src/app.tsx";
import { upsertRun } from "../../src/objects/catalog/client.ts";
import { toSeed } from "./seeds.ts";

export * from "../../src/index.ts";

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const WRITE_CONCURRENCY = 100;

app.post("/seed/:from/:to", async (c) => {
  const { from, to } = c.req.param();
  const expiresAtMs = Date.now() + YEAR_MS;
  for (let n = Number(from); n < Number(to); n += WRITE_CONCURRENCY) {
    const count = Math.min(WRITE_CONCURRENCY, Number(to) - n);
    await Promise.all(
      Array.from({ length: count }, (_, offset) =>
        upsertRun(c.env, { ...toSeed(n + offset), expiresAtMs }, 1),
      ),
    );
  }
  return c.json({ seeded: true });
});

export default app;
