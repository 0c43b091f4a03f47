// Failures that a caller is told about. The app's error handler turns them into HTTP.
import type { ContentfulStatusCode } from "hono/utils/http-status";

type ErrorSpec = { status: ContentfulStatusCode; title: string };

/** Every error code: its HTTP status, and the title of its page. */
const ERRORS = {
  bad_request: { status: 400, title: "The request can't be used" },
  bad_json: { status: 400, title: "Not JSON" },
  bad_query: { status: 400, title: "The query can't be used" },
  bad_cursor: { status: 400, title: "The cursor is not valid" },
  bad_webhook: { status: 400, title: "The webhook can't be accepted" },
  control_not_comparable: { status: 400, title: "A control can't be compared with this run" },
  unauthorized: { status: 401, title: "Not logged in" },
  read_only: { status: 403, title: "This token only reads" },
  cross_site: { status: 403, title: "The request came from another site" },
  not_found: { status: 404, title: "Not recorded, or expired" },
  not_finished: { status: 404, title: "The response has not ended" },
  not_stored: { status: 404, title: "Not stored" },
  unknown_route: { status: 404, title: "There is no such page" },
  method_not_allowed: { status: 405, title: "This method is not possible here" },
  already_ended: { status: 409, title: "The run has ended already" },
  outputs_missing: { status: 409, title: "Outputs are missing" },
  in_progress: { status: 409, title: "The first request is still in progress" },
  too_large: { status: 413, title: "Too large" },
  key_reused: { status: 422, title: "The idempotency key was used before" },
  too_many_logins: { status: 429, title: "Too many attempts to log in" },
  too_many_triggers: { status: 429, title: "Too many runs at once" },
  internal: { status: 500, title: "The recorder failed" },
  openai_unauthorized: { status: 502, title: "OpenAI refused the recorder's key" },
  may_have_started: { status: 502, title: "The run may have started" },
  openai_unreachable: { status: 502, title: "OpenAI can't be reached" },
  not_configured: { status: 503, title: "A setting is missing" },
  handover_failed: { status: 503, title: "The recorder is not ready" },
  idempotency_unavailable: { status: 503, title: "The idempotency key can't be used" },
  /** A refusal that passes through with OpenAI's own status and code. */
  openai_refused: { status: 400, title: "OpenAI refused the request" },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

/** The codes of the recorder's own errors. */
export const ERROR_CODES = Object.keys(ERRORS).filter((code) => code !== "openai_refused");

type Details = {
  /** OpenAI's request id. */
  requestId?: string | undefined;
  /** The response's id. */
  id?: string | undefined;
  /** The parameter at fault. */
  param?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** A headline that says more than the code's own. */
  title?: string | undefined;
  /** A status that differs from the code's own. */
  status?: ContentfulStatusCode | undefined;
  /** The status and code of OpenAI's answer, when they pass through. */
  upstream?: { status: ContentfulStatusCode; code: string | null } | undefined;
};

/** What the caller gets: a status, a stable code, and a message that says what to do next. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  /** The headline of its page. */
  readonly title: string;
  readonly requestId: string | undefined;
  readonly id: string | undefined;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** @param message What is wrong and what to do. */
  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message);
    this.name = "Problem";
    this.status = details.upstream?.status ?? details.status ?? ERRORS[code].status;
    this.code = details.upstream?.code ?? code;
    this.title = details.title ?? ERRORS[code].title;
    this.requestId = details.requestId;
    this.id = details.id;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  /** The JSON of the contract. */
  toJSON(): { error: { code: string; message: string; request_id?: string; id?: string } } {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.requestId === undefined ? {} : { request_id: this.requestId }),
        ...(this.id === undefined ? {} : { id: this.id }),
      },
    };
  }
}
