// The Worker's exports.
import { app } from "./app.tsx";
import { pokeOverdueRuns } from "./objects/reconcile.ts";

export { Catalog } from "./objects/catalog/catalog.ts";
export { Connection } from "./objects/connection/connection.ts";
export { Recorder } from "./objects/recorder/recorder.ts";

export default {
  fetch: app.fetch,
  /** Runs every 5 minutes. */
  scheduled: ({ scheduledTime }, env) => pokeOverdueRuns(env, scheduledTime),
} satisfies ExportedHandler<Env>;
