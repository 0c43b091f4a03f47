// The Worker as it is, with objects that log what Cloudflare bills for them, and with records that live for seconds, so that a test sees their whole life.
import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { Catalog as RealCatalog } from "../../../src/objects/catalog/catalog.ts";
import { Connection as RealConnection, Recorder as RealRecorder } from "../../../src/index.ts";
import { log } from "../../../src/log.ts";
import type { ConnectionParams } from "../../../src/record/connection/state.ts";
import type { Policy } from "../../../src/record/policy.ts";
import type { RecorderParams } from "../../../src/record/schema.ts";
import { spyOn, spyOnMethods } from "./spy.ts";

export { default } from "../../../src/index.ts";

/** Longer than a run and its files take. */
const RETENTION_SECONDS = 25;
/** In place of five minutes, and of a day. */
const SHORT_LIMITS: Partial<Policy["limits"]> = { keep_rows_seconds: 4, keep_events_seconds: 4 };

/** A call about a run: an upsert or a removal. */
const AboutRun = z.union([
  z.object({ row: z.object({ id: z.string() }) }).transform(({ row }) => row.id),
  z.object({ id: z.string() }).transform(({ id }) => id),
]);

/** @param id Of a Connection its own name. */
function logCost(
  object: "recorder" | "catalog" | "connection",
  id: string | undefined,
  operation: string,
  requests: number,
  rows: number,
): void {
  log("cost", { object, id, operation, requests, rows });
}

/** The Recorder with lifetimes of seconds. */
class ShortLivedRecorder extends RealRecorder {
  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    return super.start(shorten(params));
  }

  override webhook(params: RecorderParams): ReturnType<RealRecorder["webhook"]> {
    return super.webhook(shorten(params));
  }

  override connectionEnded(params: RecorderParams): ReturnType<RealRecorder["connectionEnded"]> {
    return super.connectionEnded(shorten(params));
  }
}

function shorten(params: RecorderParams): RecorderParams {
  return { ...params, policy: shortenPolicy(params.policy) };
}

function shortenPolicy(policy: Policy): Policy {
  const limits = { ...policy.limits, ...SHORT_LIMITS };
  return { ...policy, retention_seconds: RETENTION_SECONDS, limits };
}

/** The Connection with a lifetime of seconds. */
class ShortLivedConnection extends RealConnection {
  override open(
    ...[body, bytes, name, params, headers]: Parameters<RealConnection["open"]>
  ): ReturnType<RealConnection["open"]> {
    return super.open(body, bytes, name, shortenConnection(params), headers);
  }
}

function shortenConnection(params: ConnectionParams): ConnectionParams {
  if (params.kind === "control") {
    return { ...params, limits: { ...params.limits, ...SHORT_LIMITS } };
  }
  const { start } = params;
  return {
    ...params,
    start: { ...start, policy: shortenPolicy(start.policy) },
  };
}

/** Each row of the object's values costs a row, and so does each alarm that is set. https://developers.cloudflare.com/durable-objects/platform/pricing/ */
function logRowsOf(object: "recorder" | "connection", { id, storage }: DurableObjectState): void {
  const logRows = (operation: string, rows: number) => logCost(object, id.name, operation, 0, rows);
  spyOn(storage.kv, "put", () => logRows("put", 1));
  spyOn(storage.kv, "delete", (isFound) => logRows("delete", isFound === true ? 1 : 0));
  spyOn(storage, "setAlarm", () => logRows("set_alarm", 1));
  const deleteAll = storage.deleteAll.bind(storage);
  const value = () => {
    // Every row that is left is deleted.
    logRows("delete_all", [...storage.kv.list()].length);
    return deleteAll();
  };
  Object.defineProperty(storage, "deleteAll", { value });
}

export class Recorder extends ShortLivedRecorder {
  readonly id: string | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.id = ctx.id.name;
    logRowsOf("recorder", ctx);
  }
}

export class Connection extends ShortLivedConnection {
  readonly id: string | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.id = ctx.id.name;
    logRowsOf("connection", ctx);
  }
}

/** SQLite itself says how many rows a statement wrote. */
export class Catalog extends RealCatalog {
  readonly cursors: { rowsWritten: number }[] = [];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    const exec = sql.exec.bind(sql);
    const value = (query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values);
      this.cursors.push(cursor);
      return cursor;
    };
    Object.defineProperty(sql, "exec", { value });
  }
}

spyOnMethods(Recorder.prototype, DurableObject.prototype, (instance, name, _, method) => {
  // The Recorder asks itself for its open Connections.
  if (instance instanceof Recorder && name !== "openConnections") {
    logCost("recorder", instance.id, name, 1, 0);
  }
  return method();
});

spyOnMethods(Connection.prototype, DurableObject.prototype, (instance, name, _, method) => {
  if (instance instanceof Connection) logCost("connection", instance.id, name, 1, 0);
  return method();
});

spyOnMethods(Catalog.prototype, DurableObject.prototype, (instance, name, [first], method) => {
  if (!(instance instanceof Catalog)) return method();
  instance.cursors.length = 0;
  const result = method();
  const rows = instance.cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
  logCost("catalog", AboutRun.safeParse(first).data, name, 1, rows);
  return result;
});
