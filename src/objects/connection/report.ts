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
      /** The headers of OpenAI's answer that a caller gets. An object that a deploy has not reached does not say them; nor does it say those of a refusal. */
      headers?: Record<string, string>;
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
      headers?: Record<string, string>;
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
  /** The items that were finished, in their order. */
  items: Omit<ConnectionState["items"][number], "number" | "place">[];
  /** Of the last event's response: its size, and whether it was too large to be kept whole. */
  response: { bytes: number; isTruncated: boolean } | null;
};

/** What a state says to the Recorder. */
export function toReport(state: ConnectionState): ConnectionReport {
  const { id, http_status, request_id, status, error, end, items, response } = state;
  return {
    id,
    http_status,
    request_id,
    status,
    error,
    end,
    isReading: isReading(state),
    items: inOrder(items).map(({ key, call_id, state: shown, cut_bytes }) => ({
      key,
      call_id,
      state: shown,
      cut_bytes,
    })),
    response:
      response === null
        ? null
        : { bytes: response.size, isTruncated: response.size > response.length },
  };
}

/** Finished items by their places; those without one as they came. */
export function inOrder(items: ConnectionState["items"]): ConnectionState["items"] {
  return items.toSorted((a, b) => (a.place ?? a.number) - (b.place ?? b.number));
}

/** What a failed request says to the caller. */
export function toFailure(error: unknown, isLate: boolean): Opening {
  const { status, message, requestId, retryAfter, headers, error: own } = toApiFailure(error);
  if (status !== null) {
    return { kind: "refused", status, error: own, requestId, retryAfter, headers };
  }
  const id = error instanceof UnusableResponse ? error.id : null;
  return { kind: "failed", isLate, message, id };
}
