// What happens to a Recorder's effects: they take time, fail, die with the object, and their results are lost or late.
import type { Effect, ResultEvent } from "../../../src/record/events.ts";
import type { FileEntry } from "../../../src/record/schema.ts";
import { toSeconds } from "./clock.ts";
import type { Report } from "./effect-report.ts";
import { isStatusCheck, observe } from "./observing.ts";
import { checkReport, receive } from "./receiver.ts";
import type { SimulationState } from "./simulation-state.ts";
import { attempt } from "./storage-refused.ts";

/** At least so much time is between two status checks, and between an observation and a check. */
const STATUS_CHECK_SECONDS = 10;

/** Performs an effect, with the faults of its scenario. */
export function performEffect(run: SimulationState, effect: Effect): void {
  run.counts.effects += 1;
  const { clock, random, scenario, object } = run;
  const { life } = object;
  checkAlone(run, effect);
  if (isStatusCheck(run, effect)) checkPause(run);
  if (effect.type === "notify") checkReport(run);
  run.current = { effect, life };
  const isAlive = () => object.life === life;
  const seconds = drawSeconds(run, effect);
  if (run.happens(scenario.rates.eviction, `evicted during ${effect.type}`)) {
    clock.after(seconds * random.next(), () => {
      if (isAlive()) run.evict();
    });
  }
  clock.after(seconds, () => {
    // An evicted object's requests may still take effect.
    if (!isAlive() && random.chance(0.5)) return;
    const report = createReport(run, effect, isAlive());
    if (!isAlive()) return;
    if (run.happens(scenario.rates.result, "result lost or late")) {
      return timeOut(run, effect, life, report, random.chance(0.5));
    }
    deliver(run, effect, life, report);
  });
  if (run.happens(scenario.rates.eviction / 2, "evicted after an effect")) {
    clock.after(seconds + 0.001, () => run.evict());
  }
}

// A run that is gone goes on without the result of the effect under way.
function checkAlone({ current, object, clock, fail }: SimulationState, effect: Effect): void {
  const isUnderWay =
    current !== null && current.life === object.life && clock.now < current.effect.untilMs;
  if (!isUnderWay || effect.type === "erase" || effect.type === "unlist") return;
  fail("effects run one at a time", `${effect.type} beside ${current.effect.type}`);
}

// However often a reader asks, and whatever happens to the object.
function checkPause(run: SimulationState): void {
  const { clock, truth } = run;
  const seenAt = truth?.shown.at(-1)?.at;
  const seenSeconds = seenAt === undefined ? Number.NEGATIVE_INFINITY : toSeconds(seenAt);
  const pause = clock.seconds - Math.max(run.lastCheckSeconds, seenSeconds);
  if (pause < STATUS_CHECK_SECONDS - 0.001) {
    run.fail("rows, writes and calls stay within their limits", `a check after ${pause} s`);
  }
  run.lastCheckSeconds = clock.seconds;
}

function drawSeconds({ random, scenario }: SimulationState, effect: Effect): number {
  if (effect.type === "copy_file" && scenario.rates.file > 0 && random.chance(0.02)) return 115;
  return effect.type === "list" ? random.between(0.01, 0.1) : random.between(0.05, 1);
}

// The object gives an effect up when its time is over; what comes later is ignored.
function timeOut(
  run: SimulationState,
  effect: Effect,
  life: number,
  report: Report,
  isLate: boolean,
): void {
  const { clock, object, random } = run;
  const left = (effect.untilMs - clock.now) / 1000;
  // Sometimes its own time-out is lost as well: then the alarm notices.
  if (random.chance(0.7)) {
    clock.after(left, () => {
      const failed: ResultEvent = { type: "failed", turn: effect.turn, reason: "time-out" };
      deliver(run, effect, life, { event: failed });
    });
  }
  if (!isLate) return;
  clock.after(left + random.between(0.001, 60), () => {
    const isAwaited = object.state?.running?.turn === effect.turn;
    if (isAwaited) return deliver(run, effect, life, report);
    object.report(life, report.event, report.payload ?? {});
  });
}

function deliver(run: SimulationState, effect: Effect, life: number, report: Report): void {
  const isCurrent = run.current?.effect === effect && run.object.life === life;
  if (!isCurrent) return;
  run.current = null;
  const { truth } = run;
  // Before the report: the checks after it compare with what was shown.
  const { shown } = report;
  if (shown !== undefined) truth?.shown.push(shown);
  const isTaken = run.object.report(life, report.event, report.payload ?? {});
  if (isTaken) return noteTaken(run, report);
  if (shown !== undefined) truth?.shown.splice(truth.shown.indexOf(shown), 1);
}

// A control that still runs has brought nothing yet.
function noteTaken(run: SimulationState, { event, shown, reads, control }: Report): void {
  if (shown !== undefined || event.type === "control_observed") run.largeBodies = 0;
  if (control !== undefined && run.truth !== null) run.truth.control = control;
  if (event.type === "notified" && event.status === 200 && run.truth !== null) {
    run.truth.isNotified = true;
  }
  if (reads === undefined || (event.type === "control_observed" && event.result === null)) return;
  reads.truth.isRead = true;
  // A control that was not opened may be opened late.
  if (event.type === "control_observed" && event.result?.control.status === "not_run") return;
  run.connections.release(reads.name);
}

function createReport(run: SimulationState, effect: Effect, isAlive: boolean): Report {
  if (effect.type === "observe") return observe(run, effect, isAlive);
  if (effect.type === "notify") return receive(run, effect);
  const { turn } = effect;
  const failed: Report = { event: { type: "failed", turn, reason: "refused" } };
  if (effect.type === "list" || effect.type === "unlist") {
    return tellCatalog(run, effect) ? { event: { type: toDone(effect.type), turn } } : failed;
  }
  if (effect.type === "find_files") return findFiles(run, effect.record.containers, turn) ?? failed;
  if (effect.type === "copy_file") return copyFile(run, effect) ?? failed;
  if (effect.type === "erase" && !removeConnections(run, effect.connections)) return failed;
  if (!writeKv(run, effect)) return failed;
  return { event: { type: effect.type === "erase" ? "erased" : "stored", turn } };
}

function removeConnections({ connections }: SimulationState, names: string[]): boolean {
  const removed = names.map((name) => {
    const reach = connections.reach();
    if (reach === "lost") return false;
    const isDone = attempt(() => connections.find(name)?.object.call({ type: "remove" }));
    return isDone && reach === "well";
  });
  return removed.every((isDone) => isDone);
}

function toDone(type: "list" | "unlist"): "listed" | "unlisted" {
  return type === "list" ? "listed" : "unlisted";
}

function tellCatalog(
  run: SimulationState,
  effect: Extract<Effect, { type: "list" | "unlist" }>,
): boolean {
  const { catalog, clock, random, scenario } = run;
  if (run.isOut(scenario.outages.catalog, "Catalog down")) return false;
  const apply = (): void => {
    if (effect.type === "unlist") return catalog.remove(effect.version);
    const { status, verdict } = effect.record;
    catalog.upsert({ version: effect.version, dueMs: effect.dueMs, status, verdict });
  };
  if (!run.happens(scenario.rates.catalog, "Catalog call failed")) {
    apply();
    return true;
  }
  // It may still arrive, and later than what follows it.
  if (random.chance(0.5)) clock.after(random.pick([0, 30, 600]) * random.next(), apply);
  return false;
}

function writeKv(
  run: SimulationState,
  effect: Extract<Effect, { type: "store_record" | "store_outputs" | "erase" }>,
): boolean {
  const { scenario, random } = run;
  const isOut = run.isOut(scenario.outages.kv, "KV refused");
  const fails = isOut || run.happens(scenario.rates.kv, "KV write failed");
  const hasEffect = !isOut && (!fails || random.chance(0.2));
  if (!hasEffect) return false;
  return applyToKv(run, effect) && !fails;
}

function applyToKv(
  { kv, clock, object, random }: SimulationState,
  effect: Extract<Effect, { type: "store_record" | "store_outputs" | "erase" }>,
): boolean {
  const now = clock.seconds;
  if (effect.type === "erase") {
    for (const key of effect.keys) kv.delete(toKvKey(key));
    return true;
  }
  const { record } = effect;
  const expiresAt = Math.max(toSeconds(record.expires_at), now + 60);
  if (effect.type === "store_outputs") {
    const key = toKvKey({ type: "outputs", channel: effect.channel });
    const before = effect.isAddition ? (kv.get(key, now, random.chance(0.5)) ?? "") : "";
    const rows = object.storage.outputs.get(effect.channel) ?? "";
    kv.put(key, rows.includes(before) ? rows : before + rows, now, expiresAt);
    return true;
  }
  const body = readBody({ kv, clock, object, random }, effect);
  if (body === null) return false;
  kv.put("record", `${JSON.stringify(record)}\n${body}`, now, expiresAt);
  return true;
}

function readBody(
  { kv, clock, object, random }: Pick<SimulationState, "kv" | "clock" | "object" | "random">,
  { body, record }: Extract<Effect, { type: "store_record" }>,
): string | null {
  if (body === "none") return "";
  if (body === "rows") return object.storage.body ?? "no rows";
  const stored = kv.get("record", clock.seconds, random.chance(0.5));
  const present = stored?.slice(stored.indexOf("\n") + 1) ?? null;
  return present === record.body?.digest ? present : null;
}

/** The name of a key in the stand-in for KV. */
export function toKvKey(key: Extract<Effect, { type: "erase" }>["keys"][number]): string {
  if (key.type === "record") return "record";
  return key.type === "outputs" ? `outputs:${key.channel}` : `file:${key.file_id}`;
}

function findFiles(run: SimulationState, containers: string[], turn: number): Report | null {
  const { scenario } = run;
  if (run.happens(scenario.rates.file, "file request failed")) return null;
  const reason = scenario.containersGone ? "It was gone already" : null;
  const files = containers.flatMap((container) =>
    Array.from({ length: scenario.files }, (_, index): FileEntry => ({
      id: `${container}_file_${index}`,
      container_id: container,
      filename: "a.csv",
      bytes: null,
      url: null,
      reason,
    })),
  );
  const empty = files.length === 0 ? containers : [];
  return { event: { type: "files_found", turn, files, empty } };
}

function copyFile(
  run: SimulationState,
  { file, record, turn }: Extract<Effect, { type: "copy_file" }>,
): Report | null {
  const { kv, clock, scenario } = run;
  if (run.happens(scenario.rates.file, "file request failed")) return null;
  if (run.isOut(scenario.outages.kv, "KV refused")) return null;
  const now = clock.seconds;
  const expiresAt = Math.max(toSeconds(record.expires_at), now + 60);
  kv.put(`file:${file.id}`, file.id, now, expiresAt);
  return { event: { type: "file_copied", turn, file: { ...file, url: `/${file.id}`, bytes: 1 } } };
}
