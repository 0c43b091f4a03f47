// What happens to a Recorder, and what it does: the types of transition.
import type { NotificationEvent } from "./notification.ts";
import type { KvKey, State } from "./state.ts";
import type {
  Channel,
  ControlResult,
  FileEntry,
  ObservationResult,
  RecorderParams,
  StoredRecord,
} from "./schema.ts";

/** A call to the Recorder, or its alarm. */
export type CallEvent =
  /** A response was created. It also heals a webhook that was faster. */
  | { type: "start"; params: RecorderParams }
  /** `params.webhook` is set. For an unknown id it begins a run. */
  | { type: "webhook"; params: RecorderParams }
  /** For an unknown id it begins a run. */
  | { type: "refetch"; params: RecorderParams }
  /** OpenAI accepted a cancel, or the run's Connection was closed. */
  | { type: "cancelled" }
  /** An event of the run's stream showed a status that is not its last. */
  | { type: "status_seen"; status: string }
  /** A reader waits for the end of a run in flight, and wants to know its status. */
  | { type: "status_wanted" }
  /** `params.connection` has ended. For an unknown id it begins a run. */
  | { type: "connection_ended"; params: RecorderParams }
  /** The control's Connection sends its request. */
  | { type: "control_opened" }
  /** The control's Connection has ended. */
  | { type: "control_ended" }
  /** A container whose list was empty was asked once more, and had files. */
  | { type: "files_appeared"; files: FileEntry[] }
  | { type: "remove" }
  /** The Catalog has lost the run's row. */
  | { type: "relist" }
  /** The Catalog found the run overdue. Only the alarm is set. */
  | { type: "poke" }
  | { type: "alarm" };

/** What an effect reports. A result whose turn is not the running effect's is ignored. */
export type ResultEvent =
  | { type: "erased"; turn: number }
  /** `hasOutputs`: the channel brought items that may have to be stored in addition to the body. `isBodyLost`: KV does not show the body that it had. */
  | {
      type: "observed";
      turn: number;
      result: ObservationResult;
      hasOutputs: boolean;
      isBodyLost?: boolean;
    }
  /** The control was asked for. Null: it still runs. `hasOutputs`: its calls' items are to be stored. */
  | { type: "control_observed"; turn: number; result: ControlResult | null; hasOutputs: boolean }
  | { type: "stored"; turn: number }
  /** `empty`: the containers whose list had nothing at all. */
  | { type: "files_found"; turn: number; files: FileEntry[]; empty: string[] }
  | { type: "file_copied"; turn: number; file: FileEntry }
  | { type: "listed"; turn: number }
  | { type: "unlisted"; turn: number }
  /** `status`: the HTTP status that NOTIFY_URL answered. */
  | { type: "notified"; turn: number; status: number }
  | { type: "failed"; turn: number; reason: string }
  /** The effect died with its object: the object was created again and has it in storage, not in memory. */
  | { type: "lost"; turn: number }
  /** The observation under way has a large body. To be stored, synced, before the body is parsed. */
  | { type: "large_body"; turn: number };

export type RecorderEvent = CallEvent | ResultEvent;

/** What the object has to do. `untilMs`: until when it may take; then it must have ended as `failed`. */
export type Effect = { turn: number; untilMs: number } &
  /** The Connections end before the keys are deleted. */
  (
    | { type: "erase"; id: string; keys: KvKey[]; connections: string[] }
    | {
        type: "observe";
        channel: Channel;
        record: StoredRecord;
        /** What is read: a Connection; null for OpenAI's API. */
        connection: string | null;
        /** Somebody asked, and only KV has the body: whether it still shows it. */
        checksBody: boolean;
      }
    | {
        type: "store_record";
        record: StoredRecord;
        /** Where the response's body comes from: the object's rows, or KV's present value, whose digest must be the record's. */
        body: "rows" | "kv" | "none";
      }
    /** `isAddition`: KV may have earlier items of this channel that the rows lack. */
    | { type: "store_outputs"; channel: Channel; record: StoredRecord; isAddition: boolean }
    /** The record's containers are those that were not searched yet. */
    | { type: "find_files"; record: StoredRecord }
    | { type: "copy_file"; file: FileEntry; record: StoredRecord }
    /** A row without `created_at` is for `overdue` only: no list shows it. `isFirst`: the Catalog has no text of the run, so what only KV has is read there. */
    | { type: "list"; record: StoredRecord; version: number; dueMs: number; isFirst: boolean }
    | { type: "unlist"; id: string; startedAt: string; version: number }
    | { type: "notify"; record: StoredRecord; event: NotificationEvent }
  );

/** Changes of the object's own rows, to be written in the same synchronous block as the state. */
export type RowChanges = {
  /** All rows are deleted, before anything is written. */
  drop: boolean;
  /** The observation's body replaces the one in the rows. */
  writeBody: boolean;
  /** The event's outputs are added to the rows of this channel. */
  writeOutputs: Channel | null;
};

export type Outcome = {
  /** Null: the object deletes everything that it stores, its alarm too. */
  state: State | null;
  /** To be begun after the state is stored. */
  effect: Effect | null;
  /** The alarm to set, in milliseconds since 1970; null: it stays as it is. */
  alarm: number | null;
  rows: RowChanges;
  /** Whether the state must be written to storage. Otherwise the object's memory is enough: a crash costs no more than doing an effect again. */
  persist: boolean;
};
