// A held connection by its script, and what its Holder does to the world: asks OpenAI once, hands over, tells.
import type { Begun, HolderHands, Line } from "../../../src/workflows/holder.ts";
import { BREAK_UNKNOWN } from "../../../src/record/schema.ts";
import { tell } from "../../../src/workflows/telling.ts";
import { toTime } from "./clock.ts";
import type { Life } from "./engine.ts";
import type { Call, HeldScript, Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** Seconds after which a connection is closed. */
const LONGEST = 23.5 * 60 * 60;

/** What is left of a connection when it has ended. */
export type Left = { at: number; broke_at: string | null; calls: Call[] };

/**
 * The hands of one Holder's run.
 * @param world Where it runs.
 * @param held The script of its connection.
 * @param life Ends with the next crash.
 */
export function holderHandsOf(world: World, held: HeldScript, life: Life): HolderHands {
  const { clock, random, scenario } = world;
  const sleep = (seconds: number) =>
    new Promise<void>((resolve) => {
      clock.after(seconds, () => {
        if (life.hands) resolve();
      });
    });
  return {
    async begin() {
      world.posts += 1;
      await sleep(random.between(0.1, 1));
      if (held.refused) return { begun: REFUSED, line: null };
      return { begun: begun(scenario), line: lineOf(world, held, life) };
    },
    async handOver(start) {
      await sleep(random.between(0.01, 0.2));
      mayFail(world);
      world.handOver(start);
    },
    lost: () => leave(world, { at: clock.now, broke_at: BREAK_UNKNOWN, calls: [] }),
    async tell(start) {
      await sleep(random.between(0.01, 0.2));
      world.ended ??= clock.now;
      if (clock.now < world.ended + held.late) throw new Error("the engine does not answer");
      mayFail(world);
      const at = toTime(clock.now);
      await tell(start, at, world.recorder(sleep));
      if (held.twice) await tell(start, at, world.recorder(sleep));
    },
  };
}

/** OpenAI's side of a connection that ended before its run. */
export function breakOff({ scenario, clock, count }: World): void {
  const { held, end } = scenario;
  if (held === null || (end !== null && clock.now >= end)) return;
  count("held connection broken");
  if (held.cut === "finishes") return;
  scenario.end = clock.now + 0.5;
  scenario.status = "cancelled";
  scenario.emptied = true;
}

function lineOf(world: World, held: HeldScript, life: Life): Line {
  const { clock, scenario } = world;
  const began = clock.now;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  world.holds = true;
  return {
    close,
    async read() {
      const until = Math.min(scenario.end ?? LONGEST, held.breaks ?? LONGEST, began + LONGEST);
      const over = new Promise<void>((resolve) => {
        clock.after(until - clock.now, resolve);
      });
      await Promise.race([over, closed]);
      if (!life.hands) return new Promise(() => undefined);
      return leave(world, brought(scenario, clock.now));
    },
  };
}

function brought(scenario: Scenario, seconds: number): Left {
  const { end, calls } = scenario;
  if (end !== null && seconds >= end) return { at: seconds, broke_at: null, calls };
  const share = seconds / (end ?? LONGEST);
  const done = calls.filter((_, index) => (index + 1) / (calls.length + 1) <= share);
  return { at: seconds, broke_at: `${done.length} response.output_item.done`, calls: done };
}

// The step's result: what it stands for is found by it.
function leave(world: World, left: Left): ReadableStream<Uint8Array> {
  if (left.broke_at !== BREAK_UNKNOWN) world.letGo(left.broke_at !== null);
  const stream = new ReadableStream<Uint8Array>();
  world.leavings.set(stream, left);
  return stream;
}

function begun({ id, saidStore, began }: Scenario): Begun {
  const created_at = toTime(began);
  return {
    kind: "held",
    id,
    created: { status: "in_progress", model: "m", background: false, store: saidStore, created_at },
    response: new Uint8Array(),
  };
}

const REFUSED: Begun = { kind: "refused", status: 400, request_id: null, retry_after: null };

function mayFail({ random, scenario, count }: World): void {
  if (!random.chance(scenario.rates.write)) return;
  count("engine refused a call");
  throw new Error("the engine does not answer");
}
