// The Worker with KV writes, Catalog calls and calls between objects that sometimes fail, and Recorders and Connections that sometimes die. Only the soak runs it, locally.
import worker from "../../../../src/index.ts";
import { withCallFaults } from "./calls.ts";

export { Catalog } from "./catalog.ts";
export { Connection } from "./connection.ts";
export { Recorder } from "./recorder.ts";

export default {
  ...worker,
  /** Answers `/soak/kv?key=…` with what KV has, `/soak/connection?name=…` with what a Connection says of itself, and everything else as the Worker does. */
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/soak/connection") {
      const name = searchParams.get("name") ?? "";
      const report = await env.CONNECTION.get(env.CONNECTION.idFromName(name)).report();
      return Response.json(report, { status: report === null ? 404 : 200 });
    }
    if (pathname === "/soak/kv") {
      const value = await env.RECORDS.get(searchParams.get("key") ?? "", "stream");
      return new Response(value, { status: value === null ? 404 : 200 });
    }
    const CONNECTION = withCallFaults(env.CONNECTION, env, "connection_call");
    return worker.fetch(request, { ...env, CONNECTION }, ctx);
  },
} satisfies ExportedHandler<Env>;
