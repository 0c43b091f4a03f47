// What a Connection's object stores: its state, and the events.
import { ConnectionState } from "../../record/connection/state.ts";
import { EventLog } from "./event-log.ts";

const STATE = "state";

/** The object's own storage. Every call is synchronous. */
export class Store {
  readonly log: EventLog;
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.log = new EventLog(storage.kv);
  }

  /** The state as it was written last; null in an empty object. */
  load(): ConnectionState | null {
    const stored = this.#storage.kv.get(STATE);
    if (stored === undefined) return null;
    // The alarm's time is only remembered to save rows: the stored one may be older than the alarm.
    return { ...ConnectionState.parse(stored), alarm_at_ms: null };
  }

  /** Whether the state is none of this version. */
  isUnreadable(): boolean {
    const stored = this.#storage.kv.get(STATE);
    return stored !== undefined && !ConnectionState.safeParse(stored).success;
  }

  /**
   * Writes the events that are not stored yet, and the state where it has changed, together or not at all.
   * @param before Null for a new Connection.
   */
  write(before: ConnectionState | null, after: ConnectionState): void {
    const isNew = before === null || hasChanged(before, after);
    if (!isNew && !this.log.hasPending) return;
    this.#storage.transactionSync(() => {
      this.log.write();
      if (isNew) this.#storage.kv.put(STATE, after);
    });
    this.log.clear();
  }
}

// Whether something changed that is worth a row.
function hasChanged(before: ConnectionState, after: ConnectionState): boolean {
  const { alarm_at_ms: _, ...old } = before;
  return Object.entries(old).some(([name, value]) => value !== Reflect.get(after, name));
}
