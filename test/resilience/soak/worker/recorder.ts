// The Recorder with faults: its writes to KV and its calls to Connections fail, and it dies while it works.
import { Recorder as RealRecorder } from "../../../../src/index.ts";
import type { RecorderParams } from "../../../../src/record/schema.ts";
import { withCallFaults } from "./calls.ts";
import { countOperation, drawFault, drawNumber, logFault } from "./faults.ts";
import { withWriteFaults } from "./kv.ts";
import { shorten } from "./limits.ts";

/** An object dies up to this many milliseconds after a call: while it refetches, writes, lists, or rests. */
const MAX_MS_TO_DEATH = 400;

/** The unchanged Recorder, with faults and shorter limits. */
export class Recorder extends RealRecorder {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, {
      ...env,
      RECORDS: withWriteFaults(env, (operation) => die(ctx, operation)),
      CONNECTION: withCallFaults(env.CONNECTION, env, "connection_call"),
    });
  }

  override start(params: RecorderParams): ReturnType<RealRecorder["start"]> {
    this.#dieSoon("start");
    return super.start(withShortLimits(params));
  }

  override webhook(params: RecorderParams): ReturnType<RealRecorder["webhook"]> {
    this.#dieSoon("webhook");
    return super.webhook(withShortLimits(params));
  }

  override connectionEnded(params: RecorderParams): ReturnType<RealRecorder["connectionEnded"]> {
    this.#dieSoon("connection ended");
    return super.connectionEnded(withShortLimits(params));
  }

  override statusSeen(status: string): ReturnType<RealRecorder["statusSeen"]> {
    this.#dieSoon("status seen");
    return super.statusSeen(status);
  }

  override controlOpened(): ReturnType<RealRecorder["controlOpened"]> {
    this.#dieSoon("control opened");
    return super.controlOpened();
  }

  override controlEnded(): ReturnType<RealRecorder["controlEnded"]> {
    this.#dieSoon("control ended");
    return super.controlEnded();
  }

  override async alarm(): Promise<void> {
    this.#dieSoon("alarm");
    await super.alarm();
  }

  #dieSoon(call: string): void {
    const { id } = this.ctx;
    const operation = countOperation(`death after ${call} of ${id.name ?? id.toString()}`);
    if (drawFault(this.env, operation) === null) return;
    const delayMs = drawNumber(this.env, operation, MAX_MS_TO_DEATH);
    setTimeout(() => die(this.ctx, operation), delayMs);
  }
}

// The object is gone with all that it does and has in memory. Its storage and its alarm stay.
function die(ctx: DurableObjectState, operation: string): void {
  logFault("death", operation, null);
  ctx.abort(`A fault of the soak: ${operation}`);
}

function withShortLimits(params: RecorderParams): RecorderParams {
  return { ...params, policy: shorten(params.policy) };
}
