// Failures that a caller is told about. They become HTTP in one place: the app's error handler.

import type { ContentfulStatusCode } from "hono/utils/http-status";

/** What the caller sees: a status, a stable code, and a message that says what to do next. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly id: string | undefined;
  /** The parameter that it is about. */
  readonly param: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;

  /**
   * @param status HTTP status.
   * @param code Stable, in snake_case.
   * @param message What is wrong and what to do.
   * @param more OpenAI's request id, the response's id, and the parameter that it is about, and the seconds to wait, where there are any.
   */
  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    more: {
      requestId?: string | undefined;
      id?: string | undefined;
      param?: string | undefined;
      retryAfter?: number | undefined;
    } = {},
  ) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.requestId = more.requestId;
    this.id = more.id;
    this.param = more.param;
    this.retryAfter = more.retryAfter;
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
