// The Worker as it is, with Connections that a test can read, look into, kill, and make fail.
import worker, {
  Connection as RealConnection,
  Recorder as RealRecorder,
} from "../../../src/index.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import { StoredRecord } from "../../../src/record/schema.ts";
import {
  ALL_CONNECTIONS,
  CONTROL_OPEN_SECONDS,
  type ConnectionNames,
  type Mode,
  type StoredConnection,
} from "../connection-worker.ts";
import { withHangingControls, withRecorderFaults, addStorageFaults } from "./faults.ts";

export { Catalog } from "../../../src/index.ts";

/** What calls of Connections and of /v1's creates to Recorders do. All objects of the Worker share it; it is forgotten when workerd ends. */
let recorderMode: Mode = "works";
/** Whether no control is opened. */
let areControlsHanging = false;
/** Seconds after which runs that begin now are abandoned; null for a day. */
let abandonSeconds: number | null = null;
/** How many writes the storage of a Connection has refused, by its name. Others take all writes. */
const refusals = new Map<string, number>();

const decoder = new TextDecoder();

/** The Connection, with calls for tests. */
export class Connection extends RealConnection {
  constructor(ctx: DurableObjectState, env: Env) {
    super(
      ctx,
      withRecorderFaults(env, () => recorderMode),
    );
    addStorageFaults(ctx.storage, () => refuseWrite(ctx.id.name ?? ""));
  }

  /** What is stored, without a change of it. */
  async inspect(): Promise<StoredConnection> {
    const entries = [...this.ctx.storage.kv.list()];
    return {
      keys: entries.length,
      alarm: await this.ctx.storage.getAlarm(),
      rows: entries.flatMap(([name, value]) =>
        name.startsWith("events:") && value instanceof Uint8Array ? [toRow(name, value)] : [],
      ),
    };
  }

  /** The object is gone with all that it does and has in memory. Its storage and its alarm stay. */
  kill(): void {
    this.ctx.abort("A test killed the object.");
  }
}

function refuseWrite(connection: string): boolean {
  const name = [connection, ALL_CONNECTIONS].find((one) => refusals.has(one));
  if (name !== undefined) refusals.set(name, (refusals.get(name) ?? 0) + 1);
  return name !== undefined;
}

// Only the first part of a row begins with a line that describes its last event.
function toRow(name: string, value: Uint8Array): StoredConnection["rows"][number] {
  const head = name.endsWith("#0") ? decoder.decode(value.subarray(0, value.indexOf(0x0a))) : null;
  return { name, bytes: value.byteLength, head };
}

/** The Recorder, which asks early for a control that was never opened. */
export class Recorder extends RealRecorder {
  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    return super.start(withShortLimits(params));
  }

  override connectionEnded(params: RecorderParams): ReturnType<RealRecorder["connectionEnded"]> {
    return super.connectionEnded(withShortLimits(params));
  }
}

function withShortLimits(params: RecorderParams): RecorderParams {
  const { policy } = params;
  const limits = {
    ...policy.limits,
    control_open_seconds: CONTROL_OPEN_SECONDS,
    ...(abandonSeconds === null ? {} : { abandon_after_seconds: abandonSeconds }),
  };
  return { ...params, policy: { ...policy, limits } };
}

type TestEnv = Omit<Env, "CONNECTION"> & { CONNECTION: DurableObjectNamespace<Connection> };

type Handler = (env: TestEnv, name: string, request: Request) => Promise<Response>;

/** By path: `/test/<what>/<name>`. */
const HANDLERS: Record<string, Handler> = {
  async recorders(_, name) {
    recorderMode = name === "refuses" || name === "hangs" ? name : "works";
    return new Response(recorderMode);
  },
  async controls(_, name) {
    areControlsHanging = name === "hang";
    return new Response(name);
  },
  async refuse(_, name) {
    refusals.set(name, 0);
    return Response.json(0);
  },
  async refusals(_, name) {
    return Response.json(refusals.get(name));
  },
  async accept(_, name) {
    refusals.delete(name);
    return Response.json(0);
  },
  async abandon(_, seconds) {
    abandonSeconds = seconds === "never" ? null : Number(seconds);
    return Response.json(abandonSeconds);
  },
  async remove(env, name) {
    await getConnection(env, name).remove();
    return Response.json(0);
  },
  async names(env, id) {
    return Response.json(await readNames(env, id));
  },
  async inspect(env, name) {
    return Response.json(await getConnection(env, name).inspect());
  },
  async read(env, name, request) {
    const after = Number(new URL(request.url).searchParams.get("after"));
    // `wrangler dev` compresses other types, and holds back what is too little to compress.
    const headers = { "content-type": "text/event-stream" };
    return new Response(await getConnection(env, name).read(after), { headers });
  },
  async kill(env, name) {
    const wasKilled = await getConnection(env, name)
      .kill()
      .then(() => false)
      .catch(() => true);
    return Response.json(wasKilled);
  },
};

function getConnection(env: TestEnv, name: string): DurableObjectStub<Connection> {
  return env.CONNECTION.get(env.CONNECTION.idFromName(name));
}

async function readNames(env: TestEnv, id: string): Promise<ConnectionNames> {
  const reading = await env.RECORDER.get(env.RECORDER.idFromName(id)).read();
  if (reading === null || reading === "unreadable") return { run: null, control: null };
  const { connection, control_connection } = StoredRecord.parse(JSON.parse(reading.record));
  return { run: connection?.id ?? null, control: control_connection };
}

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const [, prefix, what = "", name = ""] = new URL(request.url).pathname.split("/");
    const handler = prefix === "test" ? HANDLERS[what] : undefined;
    if (handler !== undefined) return handler(env, name, request);
    const own = areControlsHanging ? withHangingControls(env) : env;
    // A background create of /v1 hands its run over itself.
    const isCreate = prefix === "v1" && request.method === "POST";
    return worker.fetch(request, isCreate ? withRecorderFaults(own, () => recorderMode) : own, ctx);
  },
} satisfies ExportedHandler<TestEnv>;
