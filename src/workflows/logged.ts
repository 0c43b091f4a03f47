// What a Holder does to the world, each with a line in the log.
import type { HolderHands, Line } from "./holder.ts";
import { log, withLog, type LogFields } from "../log.ts";

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
    reportEnd: (start) =>
      withLog("hold_reported", { holder, id: start.id }, () => hands.reportEnd(start)),
  };
}

function loggedLine(line: Line, fields: LogFields): Line {
  return { ...line, read: () => withLog("hold_end", fields, () => line.read()) };
}
