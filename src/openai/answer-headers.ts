// The headers of OpenAI's answers that mean the same for a caller of the recorder.

const PASSED_HEADERS =
  /^(x-request-id|openai-processing-ms|x-ratelimit-.*|retry-after|retry-after-ms|x-should-retry)$/;

/** The headers of an answer that are passed on where the recorder itself sent the request. */
export function pickAnswerHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => PASSED_HEADERS.test(name)));
}
