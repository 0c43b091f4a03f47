// The Worker's exports.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { app } from "./app.tsx";
import { WEBHOOK_DEADLINE, setting } from "./config.ts";
import { refetch } from "./looks.ts";
import type { Start } from "./record.ts";
import { follow, type Outcome } from "./recorder.ts";
import { isStored, listRecord, readRecord, storeRecord } from "./store.ts";

export default app;

/** One instance per response, its id the response's id: the only one who writes that response's keys. */
export class Recorder extends WorkflowEntrypoint<Env, Start> {
  override async run(event: WorkflowEvent<Start>, step: WorkflowStep): Promise<Outcome> {
    const { env } = this;
    const rules = {
      deadline: setting(env, WEBHOOK_DEADLINE),
      strangers: event.payload.strangers,
    };
    const hands = {
      look: refetch.bind(null, env),
      store: storeRecord.bind(null, env),
      list: listRecord.bind(null, env),
      recall: async (id: string) =>
        (await isStored(env, id)) ? ((await readRecord(env, id))?.known ?? null) : null,
    };
    return follow(event.payload, step, hands, rules);
  }
}
