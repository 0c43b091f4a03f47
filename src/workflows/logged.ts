// What a Recorder and a Holder do to the world, each with a line in the log.
import type { HolderHands, Line } from "./holder.ts";
import { log, withLog, type LogFields } from "../log.ts";
import type { FileEntry } from "../record/schema.ts";
import type { Observed } from "../openai/observed.ts";
import type { Hands } from "./hands.ts";

/**
 * A Recorder's hands, logged.
 * @param hands What does it.
 * @param id The response's id.
 */
export function loggedHands(hands: Hands, id: string): Hands {
  const line = <T>(
    event: string,
    fields: LogFields,
    work: () => Promise<T>,
    tell?: (it: T) => LogFields,
  ) => withLog(event, { id, ...fields }, work, tell);
  return {
    look: (record, channel) =>
      line("observe", { channel }, () => hands.look(record, channel), seen),
    control: (request, of) =>
      line(
        "control",
        {},
        () => hands.control(request, of),
        ({ control }) => ({
          outcome: control.status,
          control: control.id,
        }),
      ),
    keep: (owner, channel, outputs) =>
      line("store_outputs", { channel, calls: outputs.length }, () =>
        hands.keep(owner, channel, outputs),
      ),
    store: (record, chunks) => {
      const { status, verdict } = record;
      return line("store_record", { status, verdict, body: chunks !== null }, () =>
        hands.store(record, chunks),
      );
    },
    list: (record) => {
      const { status, verdict } = record;
      return line("list_record", { status, verdict }, () => hands.list(record));
    },
    recall: (of) =>
      line(
        "load_record",
        {},
        () => hands.recall(of),
        (known) => ({
          outcome: known === null ? "unknown" : "found",
        }),
      ),
    forget: (of, startedAt) => line("delete_record", {}, () => hands.forget(of, startedAt)),
    wake: (of, kind) => line("send_event", { kind }, () => hands.wake(of, kind)),
    findFiles: (record) =>
      line(
        "find_files",
        {},
        () => hands.findFiles(record),
        (files) => ({ files: files.length }),
      ),
    isToCopy: (file) => hands.isToCopy(file),
    saveFile: (owner, file) =>
      line("copy_file", { file: file.id }, () => hands.saveFile(owner, file), kept),
  };
}

/**
 * A Holder's hands, logged.
 * @param hands What does it.
 * @param holder The instance's id: the response's isn't known yet when it begins.
 */
export function loggedHolder(hands: HolderHands, holder: string): HolderHands {
  return {
    ...hands,
    async begin(request) {
      const began = await withLog(
        "hold_begin",
        { holder },
        () => hands.begin(request),
        (result) => ({
          id: result.begun.kind === "held" ? result.begun.id : null,
          outcome: result.begun.kind,
        }),
      );
      if (began.line === null || began.begun.kind !== "held") return began;
      return { ...began, line: loggedLine(began.line, { holder, id: began.begun.id }) };
    },
    handOver: (start) => withLog("handover", { holder, id: start.id }, () => hands.handOver(start)),
    lost() {
      log("hold_end", { holder, outcome: "lost" });
      return hands.lost();
    },
    tell: (start) => withLog("hold_reported", { holder, id: start.id }, () => hands.tell(start)),
  };
}

function loggedLine(line: Line, fields: LogFields): Line {
  return { ...line, read: () => withLog("hold_end", fields, () => line.read()) };
}

function seen({ result }: Observed): LogFields {
  const { observation, error } = result;
  const populated = observation.calls.filter((call) => call.outputs === "populated");
  return {
    outcome: error?.code ?? "seen",
    http_status: observation.http_status,
    status: observation.status,
    request_id: observation.request_id,
    calls: observation.calls.length,
    populated: populated.length,
  };
}

function kept({ url, reason, bytes }: FileEntry): LogFields {
  return { outcome: url === null ? "not_copied" : "copied", reason, bytes };
}
