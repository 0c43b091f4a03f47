// The Connection with faults: its calls to the Recorder fail, and it dies while it reads.
import * as z from "zod";
import { Connection as RealConnection } from "../../../../src/index.ts";
import type { ConnectionParams } from "../../../../src/record/connection/state.ts";
import { withCallFaults } from "./calls.ts";
import { countOperation, drawFault, drawNumber, logFault } from "./faults.ts";
import { withShortLimits } from "./limits.ts";

/** A Connection dies up to this many milliseconds after it was opened, with any event that comes by then. */
const MAX_MS_TO_DEATH_WHILE_OPEN = 5_000;
/** And so much more often than other operations fail. */
const OPEN_TIMES = 4;
/** It dies up to this many milliseconds after a call: while it stores, or calls its Recorder. */
const MAX_MS_TO_DEATH = 400;

const Numbered = z.object({ metadata: z.object({ soak: z.string() }) });

/** The unchanged Connection, with faults. */
export class Connection extends RealConnection {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, RECORDER: withCallFaults(env.RECORDER, env, "recorder_call") });
  }

  override open(
    ...[body, bytes, name, params, headers]: Parameters<RealConnection["open"]>
  ): ReturnType<RealConnection["open"]> {
    logOpening(name, params);
    this.#dieSoon("open", MAX_MS_TO_DEATH_WHILE_OPEN, OPEN_TIMES);
    return super.open(body, bytes, name, withShortLimits(params), headers);
  }

  override report(): ReturnType<RealConnection["report"]> {
    this.#dieSoon("report");
    return super.report();
  }

  override lastResponse(): ReturnType<RealConnection["lastResponse"]> {
    this.#dieSoon("last response");
    return super.lastResponse();
  }

  override release(): void {
    this.#dieSoon("release");
    super.release();
  }

  override close(...given: Parameters<RealConnection["close"]>): Promise<void> {
    this.#dieSoon("close");
    return super.close(...given);
  }

  override async alarm(): Promise<void> {
    this.#dieSoon("alarm");
    await super.alarm();
  }

  #dieSoon(call: string, maxMs = MAX_MS_TO_DEATH, times = 1): void {
    const { id } = this.ctx;
    const operation = countOperation(`death after ${call} of ${id.name ?? id.toString()}`);
    if (drawFault(this.env, operation, times) === null) return;
    const delayMs = drawNumber(this.env, operation, maxMs);
    setTimeout(() => {
      logFault("connection_death", operation, null);
      this.ctx.abort(`A fault of the soak: ${operation}`);
    }, delayMs);
  }
}

// Tells the soak which Connections there are: those of deleted runs must be gone.
function logOpening(connection: string, params: ConnectionParams): void {
  const { kind } = params;
  const run = kind === "control" ? params.run : null;
  const request = kind === "control" ? null : params.start.request;
  const number = Numbered.safeParse(request).data?.metadata.soak ?? null;
  console.log(JSON.stringify({ event: "soak_connection", connection, kind, run, number }));
}
