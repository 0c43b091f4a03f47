// The Worker as it is, with a KV whose writes a test can make fail or hang.
import worker, { Recorder as RealRecorder } from "../../../src/index.ts";
import { KV_MODE_PATH, type KvMode } from "../kv-mode.ts";

export { Catalog, Holder } from "../../../src/index.ts";

/** All objects of the Worker share it. */
let mode: KvMode = "works";

export class Recorder extends RealRecorder {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, RECORDS: withMode(env.RECORDS) });
  }
}

function withMode(records: KVNamespace): KVNamespace {
  const put = async (...given: Parameters<KVNamespace["put"]>): Promise<void> => {
    if (mode === "works") return records.put(...given);
    const [, value] = given;
    // As KV does with a value that it refuses.
    if (value instanceof ReadableStream) await value.cancel();
    if (mode === "refuses") throw new Error("KV refuses the write.");
    return new Promise(() => undefined);
  };
  return new Proxy(records, { get: (target, name) => (name === "put" ? put : bind(target, name)) });
}

// Methods of the platform need their own object as `this`.
function bind(target: KVNamespace, name: string | symbol): unknown {
  const found: unknown = Reflect.get(target, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, target, given);
}

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname !== KV_MODE_PATH) return worker.fetch(request, env, ctx);
    mode = toKvMode(await request.text());
    return new Response(mode);
  },
} satisfies ExportedHandler<Env>;

function toKvMode(text: string): KvMode {
  return text === "refuses" || text === "hangs" ? text : "works";
}
