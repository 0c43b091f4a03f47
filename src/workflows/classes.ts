// The Workflow classes.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { runControl } from "../openai/control.ts";
import { findFiles, shouldCopy, copyFile } from "../openai/container-files.ts";
import { hold, type Holding } from "./holder.ts";
import { holderHands } from "./holding.ts";
import { observeByHolder } from "./by-holder.ts";
import { wakeRecorder } from "./instance.ts";
import { withLog } from "../log.ts";
import { loggedHands, loggedHolder } from "./logged.ts";
import { observe } from "../openai/observe.ts";
import { giveTurn, type Answer } from "./once.ts";
import type { StoredRecord, RecorderParams } from "../record/schema.ts";
import type { Hands, Outcome } from "./hands.ts";
import { follow } from "./recorder.ts";
import * as store from "../storage/kv.ts";

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

/** One instance per Idempotency-Key: it holds what the first request with that key was answered. */
export class Once extends WorkflowEntrypoint<Env> {
  override async run(_: WorkflowEvent<unknown>, step: WorkflowStep): Promise<Answer | null> {
    return giveTurn(step);
  }
}

function handsOf(env: Env): Hands {
  return {
    look: (record, channel) =>
      channel === "held" ? observeByHolder(env, record) : observe(env, record, channel),
    control: (request, id) => runControl(env, request, id),
    keep: (owner, channel, outputs) => store.storeOutputs(env, owner, channel, outputs),
    store: (record, chunks) => store.storeRecord(env, record, chunks),
    list: (record) => store.putListRow(env, record),
    recall: (id) => recall(env, id),
    forget: (id, startedAt) => store.deleteRecord(env, id, startedAt),
    wake: async (id, kind) => {
      await wakeRecorder(env, id, { kind, at: new Date().toISOString() });
    },
    findFiles: (record) => findFiles(env, record),
    isToCopy: shouldCopy,
    saveFile: (owner, file) =>
      copyFile(env, owner, file, (found, body) => store.storeFile(env, owner, found, body)),
  };
}

async function recall(env: Env, id: string): Promise<StoredRecord | null> {
  if (!(await store.isStored(env, id))) return null;
  return (await store.readRecord(env, id))?.record ?? null;
}
