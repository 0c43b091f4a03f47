// The Worker as it is, with paths that show what objects and KV store, with Connections that a test can keep from opening, and with a short limit for controls that were not opened.
import worker, {
  Connection as RealConnection,
  Recorder as RealRecorder,
} from "../../../src/index.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import {
  CONNECTIONS_PATH,
  CONTROL_OPEN_SECONDS,
  KEYS_PATH,
  STORAGE_PATH,
  UNOPENED_PATH,
  type ConnectionStorage,
} from "../storage-worker.ts";

export { Catalog } from "../../../src/index.ts";

/** The kind of Connections that fail to open. All objects of the Worker share it. */
let unopened = "";

export class Recorder extends RealRecorder {
  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    const limits = { ...params.policy.limits, control_open_seconds: CONTROL_OPEN_SECONDS };
    return super.start({ ...params, policy: { ...params.policy, limits } });
  }
}

export class Connection extends RealConnection {
  override async open(
    ...given: Parameters<RealConnection["open"]>
  ): ReturnType<RealConnection["open"]> {
    const [body, , , params] = given;
    if (params.kind !== unopened) return super.open(...given);
    await body.cancel();
    throw new Error("The test keeps this Connection from opening.");
  }

  /** What the object stores. */
  async readStorage(): Promise<ConnectionStorage> {
    const rows = [...this.ctx.storage.kv.list()].map(([name]) => name);
    return { rows, alarm: await this.ctx.storage.getAlarm() };
  }
}

type TestEnv = Omit<Env, "CONNECTION" | "RECORDER"> & {
  CONNECTION: DurableObjectNamespace<Connection>;
  RECORDER: DurableObjectNamespace<Recorder>;
};

type Route = (env: TestEnv, name: string, request: Request) => Promise<unknown>;

const ROUTES: Record<string, Route> = {
  [UNOPENED_PATH]: async (_, __, request) => (unopened = await request.text()),
  [CONNECTIONS_PATH]: async ({ RECORDER }, id) =>
    RECORDER.get(RECORDER.idFromName(id)).openConnections(),
  [STORAGE_PATH]: async ({ CONNECTION }, name) =>
    CONNECTION.get(CONNECTION.idFromName(name)).readStorage(),
  [KEYS_PATH]: async ({ RECORDS }, id) => {
    const { keys } = await RECORDS.list();
    return keys.map(({ name }) => name).filter((name) => name.includes(id));
  },
};

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const [, folder, path, name = ""] = pathname.split("/");
    const route = ROUTES[`/${folder}/${path}`];
    if (route === undefined) return worker.fetch(request, env, ctx);
    return Response.json(await route(env, name, request));
  },
} satisfies ExportedHandler<TestEnv>;
