import { execFileSync } from "node:child_process";
import { createEntry, getCatalog } from "../../support/catalog.ts";
import { startWorld, TOKEN } from "../../support/world.ts";
const DAY = 86_400_000;
const world = await startWorld();
const c = await getCatalog(world);
const V = ["captured","captured","captured","lost","suspect","silent","no_calls","captured","pending","recovered"] as const;
for (let n = 0; n < 700; n++) {
  const d = Math.floor((n * n) % 29 + (n%3===0?0:1));
  await c.upsert(createEntry({ id: `resp_s${n}`, verdict: V[(n * 7) % (n % 4 === 0 ? 10 : 4)] ?? "captured", model: ["gpt-5.2-2025-12-11", "gpt-5-mini-2025-08-07", "a-model-with-a-very-long-name-from-a-gateway/ft:gpt-4.1-mini:company::AbCdEf"][n % 3] ?? null }, { startedAtMs: Date.now() - d * DAY - n, figures: { readable_ms: (n * 37) % 4000, usage: { input: 1200 + n, cached: 300, output: 400, reasoning: 128, total: 1600 + n } } }), 1);
}
execFileSync(process.execPath, ["/tmp/shot.mjs", world.url, TOKEN, "/tmp/shot", ...(process.env["PATHS"] ?? "/stats").split(" ")], { stdio: "inherit" });
await world.close();
process.exit(0);
