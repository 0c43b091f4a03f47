// The Worker as it is, with a KV whose writes a test can make fail or hang, and with Recorders whose state can be copied and whose limits can be shortened.
import worker, { Recorder as RealRecorder } from "../../../src/index.ts";
import { Limits } from "../../../src/record/policy.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import {
  COPIES_PATH,
  KV_MODE_PATH,
  LIMITS_PATH,
  STATES_PATH,
  type CopyRequest,
  type KvMode,
  type StateRequest,
} from "../recorder-worker.ts";
import { replaceMethod } from "../replace-method.ts";

export { Catalog, Connection } from "../../../src/index.ts";

/** The row that has a Recorder's state. */
const STATE = "state#0";

/** All objects of the Worker share it. */
let mode: KvMode = "works";
/** Where they differ from the usual ones. All objects of the Worker share them. */
let limits: Partial<Limits> = {};

export class Recorder extends RealRecorder {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, RECORDS: withMode(env.RECORDS) });
  }

  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    return super.start(withLimits(params));
  }

  override refetch(params: RecorderParams): ReturnType<RealRecorder["refetch"]> {
    return super.refetch(withLimits(params));
  }

  /** The stored state, as JSON. */
  readState(): string {
    return new TextDecoder().decode(this.ctx.storage.kv.get<Uint8Array>(STATE));
  }

  /** Gives an empty object a state, without an alarm. */
  writeState(state: string): void {
    this.ctx.storage.kv.put(STATE, new TextEncoder().encode(state));
  }

  /** Replaces the state, and restarts the object, which throws. */
  async replaceState(state: string): Promise<void> {
    this.writeState(state);
    await this.ctx.storage.sync();
    this.ctx.abort("The state was replaced.");
  }
}

function withLimits(params: RecorderParams): RecorderParams {
  const { policy } = params;
  return { ...params, policy: { ...policy, limits: { ...policy.limits, ...limits } } };
}

function withMode(records: KVNamespace): KVNamespace {
  const put = async (...given: Parameters<KVNamespace["put"]>): Promise<void> => {
    if (mode === "works" || mode === "unreadable") return records.put(...given);
    const [, value] = given;
    // As KV does with a value that it refuses.
    if (value instanceof ReadableStream) await value.cancel();
    if (mode === "refuses") throw new Error("KV refuses the write.");
    return new Promise(() => undefined);
  };
  return replaceMethod(records, "put", put);
}

/** KV as the Worker has it: its reads fail while it is unreadable. */
function withReads(records: KVNamespace): KVNamespace {
  if (mode !== "unreadable") return records;
  return replaceMethod(records, "get", () => Promise.reject(new Error("KV can't be read.")));
}

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === KV_MODE_PATH) {
      mode = toKvMode(await request.text());
      return new Response(mode);
    }
    if (pathname === LIMITS_PATH) {
      limits = Limits.partial().parse(await request.json());
      return new Response("set");
    }
    if (pathname === COPIES_PATH) {
      await copyRun(env, await request.json<CopyRequest>());
      return new Response("copied");
    }
    if (pathname === STATES_PATH) {
      return new Response(await replaceState(env, await request.json<StateRequest>()));
    }
    return worker.fetch(request, { ...env, RECORDS: withReads(env.RECORDS) }, ctx);
  },
} satisfies ExportedHandler<TestEnv>;

type TestEnv = Omit<Env, "RECORDER"> & { RECORDER: DurableObjectNamespace<Recorder> };

/** Copies a run's state and its record in KV. */
async function copyRun(env: TestEnv, { id, copies }: CopyRequest): Promise<void> {
  const getRecorder = (name: string) => env.RECORDER.get(env.RECORDER.idFromName(name));
  const state = await getRecorder(id).readState();
  const value = (await env.RECORDS.get(`record:${id}`)) ?? "";
  await Promise.all(
    copies.map(async (copy) => {
      await getRecorder(copy).writeState(state.replaceAll(id, copy));
      await env.RECORDS.put(`record:${copy}`, value.replaceAll(id, copy));
    }),
  );
}

/** Replaces parts of a run's stored state; returns the new state's first line. */
async function replaceState(
  env: TestEnv,
  { id, replace, withoutBody }: StateRequest,
): Promise<string> {
  const getRecorder = () => env.RECORDER.get(env.RECORDER.idFromName(id));
  const state = await getRecorder().readState();
  const kept = withoutBody ? `${state.split("\n", 1)[0]}\n` : state;
  const next = replace.reduce((text, [from, to]) => text.replace(from, to), kept);
  await getRecorder()
    .replaceState(next)
    .catch(() => undefined);
  return next.split("\n", 1)[0] ?? "";
}

function toKvMode(text: string): KvMode {
  return text === "refuses" || text === "hangs" || text === "unreadable" ? text : "works";
}
