// What a Connection says of itself.
import { toApiFailure } from "../../openai/api-failure.ts";
import { UnusableResponse } from "../../openai/created-response.ts";
import { isReading, type ConnectionState } from "../../record/connection/state.ts";

/** How a Connection was opened. `failed`: OpenAI did not answer, so the request may have run; `isLate`: not within the time that it has. */
export type Opening =
  | {
      kind: "opened";
      id: string;
      status: string;
      /** The first response object, as JSON. */
      response: Uint8Array;
      /** Whether the Recorder has the run; if not, the Connection starts it later. */
      isHandedOver: boolean;
    }
  | {
      kind: "refused";
      status: number;
      /** OpenAI's own error object. */
      error: unknown;
      requestId: string | null;
      retryAfter: string | null;
    }
  | {
      kind: "failed";
      isLate: boolean;
      message: string;
      /** Of a response that started and can't be recorded, as an error names it. */
      id: string | null;
    };

/** What is known of a stream. */
export type ConnectionReport = Pick<
  ConnectionState,
  "id" | "http_status" | "request_id" | "status" | "error" | "end"
> & {
  isReading: boolean;
  /** Calls that were finished, and what they showed of their outputs. */
  calls: Omit<ConnectionState["calls"][number], "number">[];
  /** Of the last event's response: its size, and whether it was too large to be kept whole. */
  response: { bytes: number; isTruncated: boolean } | null;
};

/** What a state says to the Recorder. */
export function toReport(state: ConnectionState): ConnectionReport {
  const { id, http_status, request_id, status, error, end, calls, response } = state;
  return {
    id,
    http_status,
    request_id,
    status,
    error,
    end,
    isReading: isReading(state),
    calls: calls.map((call) => ({ id: call.id, state: call.state, cut_bytes: call.cut_bytes })),
    response:
      response === null
        ? null
        : { bytes: response.size, isTruncated: response.size > response.length },
  };
}

/** What a failed request says to the caller. */
export function toFailure(error: unknown, isLate: boolean): Opening {
  const { status, message, requestId, retryAfter, error: own } = toApiFailure(error);
  if (status !== null) return { kind: "refused", status, error: own, requestId, retryAfter };
  const id = error instanceof UnusableResponse ? error.id : null;
  return { kind: "failed", isLate, message, id };
}
