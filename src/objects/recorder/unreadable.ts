// A Recorder whose stored state can't be read: another version wrote it. It stays for that version until it expires or is deleted.
import { log } from "../../log.ts";
import { toDeletedState } from "../../record/salvage.ts";
import type { GoneState } from "../../record/state.ts";
import { UnreadableState, type Store } from "./store.ts";

/** It is looked at again after this many milliseconds. */
const UNREADABLE_MS = 60 * 60_000;

/** Whether a state can't be read. When storage refuses to show it, the next load says so. */
export function isUnreadable(load: () => unknown): boolean {
  try {
    load();
  } catch (error) {
    return error instanceof UnreadableState;
  }
  return false;
}

/** What remains of a run that is deleted. Everything else that is stored of it goes. */
export function salvage(store: Store, id: string): GoneState {
  const found = store.salvage();
  store.clear();
  return toDeletedState(found, id, Date.now());
}

/** Removes a run that has expired; otherwise the alarm looks again. */
export async function awaitExpiry(
  { id, storage }: DurableObjectState,
  store: Store,
): Promise<void> {
  const { expires_at } = store.salvage().record;
  log("recorder_unreadable", { id: id.name, expires_at });
  const leftMs = expires_at === null ? UNREADABLE_MS : Date.parse(expires_at) - Date.now();
  if (leftMs <= 0) await storage.deleteAll();
  else await storage.setAlarm(Date.now() + Math.min(leftMs, UNREADABLE_MS));
}
