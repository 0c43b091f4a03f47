/** An error response in OpenAI's format. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, { type, param, code }: Partial<ErrorDetails> = {}) {
    super(message);
    this.status = status;
    this.type = type ?? DEFAULT_ERRORS[status]?.type ?? "invalid_request_error";
    this.param = param ?? null;
    this.code = code ?? null;
  }

  toJSON(): { error: ErrorDetails & { message: string } } {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

interface ErrorDetails {
  type: string;
  param: string | null;
  code: string | null;
}

interface DefaultError {
  type: string;
  code: string | null;
  message: string;
}

const DEFAULT_ERRORS: Record<number, DefaultError> = {
  400: { type: "invalid_request_error", code: null, message: "Invalid request." },
  401: {
    type: "invalid_request_error",
    code: "invalid_api_key",
    message: "Incorrect API key provided.",
  },
  403: { type: "invalid_request_error", code: null, message: "You are not allowed to do this." },
  404: { type: "invalid_request_error", code: null, message: "Not found." },
  409: { type: "invalid_request_error", code: null, message: "Conflict." },
  422: { type: "invalid_request_error", code: null, message: "Unprocessable." },
  429: { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached." },
  500: {
    type: "server_error",
    code: null,
    message: "The server had an error while processing your request.",
  },
  503: {
    type: "service_unavailable_error",
    code: "server_is_overloaded",
    message: "Our servers are currently overloaded. Please try again later.",
  },
};

/** The error that OpenAI usually sends with a status. */
export function defaultError(status: number): ApiError {
  const details = DEFAULT_ERRORS[status] ?? DEFAULT_ERRORS[status < 500 ? 400 : 500];
  return new ApiError(status, details?.message ?? "Error.", details);
}

/** A 404 with a message such as "Response with id 'resp_1' not found.". */
export function notFound(thing: string, id: string): ApiError {
  return new ApiError(404, `${thing} with id '${id}' not found.`);
}

/** The 404 of a path that is no route. */
export function unknownUrl(method: string, path: string): ApiError {
  return new ApiError(404, `Invalid URL (${method} ${path})`);
}

/** The 413 of a body beyond the limit. `length` is the header `content-length`; a body that is sent in chunks has none. */
export function bodyTooLarge(maxBytes: number, length: string | undefined): ApiError {
  const bytesRead = length ?? String(maxBytes + 1);
  const message = `Maximum content size limit (${maxBytes}) exceeded (${bytesRead} bytes read)`;
  return new ApiError(413, message, { type: "server_error" });
}
