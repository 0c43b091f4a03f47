// The Workflow classes.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { runControl } from "../openai/control.ts";
import { findFiles, shouldCopy, copyFile } from "../openai/container-files.ts";
import { hold, type Holding } from "./holder.ts";
import { holderHands } from "./holding.ts";
import { observeByHolder } from "./by-holder.ts";
import { wakeRecorder } from "./instance.ts";
import { concatChunks } from "../lib/byte-stream.ts";
import { findMember } from "../lib/json-scan.ts";
import { withLog } from "../log.ts";
import { removeRun, upsertRun } from "../objects/catalog/client.ts";
import { toCatalogRow } from "../objects/catalog/row.ts";
import { toSearchText } from "../objects/catalog/texts.ts";
import { loggedHands, loggedHolder } from "./logged.ts";
import { observe } from "../openai/observe.ts";
import type { StoredRecord, RecorderParams } from "../record/schema.ts";
import type { Hands, Outcome } from "./hands.ts";
import { follow } from "./recorder.ts";
import * as store from "../storage/kv.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A deleted run does not come back: what was under way when its instance was deleted may still report it. */
const LAST_VERSION = Number.MAX_SAFE_INTEGER;

/** One instance per response, its id the response's id: the only one who writes that response's keys. */
export class Recorder extends WorkflowEntrypoint<Env, RecorderParams> {
  override async run(event: WorkflowEvent<RecorderParams>, step: WorkflowStep): Promise<Outcome> {
    return withLog(
      "run",
      { id: event.payload.id, action: event.payload.action },
      () => {
        const hands = loggedHands(handsOf(this.env), event.payload.id);
        return follow(event.payload, step, hands, event.payload.policy);
      },
      ({ verdict, recorded }) => ({ outcome: verdict, recorded }),
    );
  }
}

/** One instance per held connection. It writes no keys: what its connection brought, its response's Recorder takes. */
export class Holder extends WorkflowEntrypoint<Env, Holding> {
  override async run(event: WorkflowEvent<Holding>, step: WorkflowStep): Promise<null> {
    return hold(
      event.instanceId,
      event.payload,
      step,
      loggedHolder(holderHands(this.env), event.instanceId),
    );
  }
}

function handsOf(env: Env): Hands {
  const texts = new SearchTexts();
  return {
    look: (record, channel) =>
      channel === "held" ? observeByHolder(env, record) : observe(env, record, channel),
    control: (request, id) => runControl(env, request, id),
    keep: async (owner, channel, outputs) => {
      await store.storeOutputs(env, owner, channel, outputs);
      texts.add(new TextEncoder().encode(JSON.stringify(outputs)));
    },
    store: async (record, chunks) => {
      await store.storeRecord(env, record, chunks);
      if (chunks !== null) texts.add(findMember(concatChunks(chunks), "output"));
    },
    list: (record) => list(env, record, texts),
    recall: (id) => recall(env, id),
    forget: async (id, startedAt) => {
      await store.deleteRecord(env, id);
      await removeRun(env, { id, startedAtMs: Date.parse(startedAt) }, LAST_VERSION);
    },
    wake: async (id, kind) => {
      await wakeRecorder(env, id, { kind, at: new Date().toISOString() });
    },
    findFiles: (record) => findFiles(env, record),
    isToCopy: shouldCopy,
    saveFile: (owner, file) =>
      copyFile(env, owner, file, (found, body) => store.storeFile(env, owner, found, body)),
  };
}

/** What an observation brought, as far as it can be searched, until the run's row is sent. */
class SearchTexts {
  #items: Uint8Array[] = [];

  add(items: Uint8Array | undefined): void {
    if (items !== undefined) this.#items.push(items);
  }

  /** Null when nothing was observed since the last row. */
  take(record: StoredRecord): string | null {
    if (this.#items.length === 0 && record.verdict !== "pending") return null;
    const text = toSearchText(record.request, this.#items);
    this.#items = [];
    return text;
  }
}

async function list(env: Env, record: StoredRecord, texts: SearchTexts): Promise<void> {
  const nowMs = Date.now();
  const entry = {
    row: toCatalogRow(record),
    startedAtMs: Date.parse(record.started_at),
    expiresAtMs: nowMs + store.ttlSeconds(env, record) * 1000,
    dueAtMs: record.settled_at === null ? nowMs + DAY_MS : null,
    text: texts.take(record),
  };
  // Only one instance reports a run, one row after another.
  await upsertRun(env, entry, nowMs);
}

async function recall(env: Env, id: string): Promise<StoredRecord | null> {
  if (!(await store.isStored(env, id))) return null;
  return (await store.readRecord(env, id))?.record ?? null;
}
