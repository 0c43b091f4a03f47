// The Worker's exports.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { app } from "./app.tsx";
import { runControl } from "./openai/control.ts";
import { findFiles, isToCopy, saveFile } from "./openai/container-files.ts";
import { hold, type Holding } from "./workflows/holder.ts";
import { holderHands } from "./workflows/holding.ts";
import { wakeRecorder } from "./workflows/instance.ts";
import { logged } from "./log.ts";
import { loggedHands, loggedHolder } from "./workflows/logged.ts";
import { lookAt } from "./openai/observe.ts";
import { giveTurn, type Answer } from "./workflows/once.ts";
import type { Known, Start } from "./record/schema.ts";
import type { Hands, Outcome } from "./workflows/hands.ts";
import { follow } from "./workflows/recorder.ts";
import * as store from "./storage/kv.ts";

export default app;

/** One instance per response, its id the response's id: the only one who writes that response's keys. */
export class Recorder extends WorkflowEntrypoint<Env, Start> {
  override async run(event: WorkflowEvent<Start>, step: WorkflowStep): Promise<Outcome> {
    return logged(
      "run",
      { id: event.payload.id, action: event.payload.action },
      () => {
        const hands = loggedHands(handsOf(this.env), event.payload.id);
        return follow(event.payload, step, hands, event.payload.rules);
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
    look: (record, channel) => lookAt(env, record, channel),
    control: (request, id) => runControl(env, request, id),
    keep: (owner, channel, outputs) => store.storeOutputs(env, owner, channel, outputs),
    store: (record, chunks) => store.storeRecord(env, record, chunks),
    list: (record) => store.listRecord(env, record),
    recall: (id) => recall(env, id),
    forget: (id, startedAt) => store.forgetRecord(env, id, startedAt),
    wake: async (id, kind) => {
      await wakeRecorder(env, id, { kind, at: new Date().toISOString() });
    },
    findFiles: (record) => findFiles(env, record),
    isToCopy,
    saveFile: (owner, file) => saveFile(env, owner, file),
  };
}

async function recall(env: Env, id: string): Promise<Known | null> {
  if (!(await store.isStored(env, id))) return null;
  return (await store.readRecord(env, id))?.known ?? null;
}
