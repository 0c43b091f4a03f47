// What is shown of a response that broke off, or that OpenAI does not have any more and whose end was never seen.
import { BREAK_UNKNOWN, type StoredRecord } from "../../record/schema.ts";

/** Members that a response repeats from its request, and what OpenAI shows where the request has none. */
const ECHOED: Readonly<Record<string, unknown>> = {
  instructions: null,
  max_output_tokens: null,
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
};

/** An error in a response object. */
type ResponseError = { code: string; message: string };

/**
 * A response object of which only items came.
 * @returns Without its output.
 */
export function toLostResponse(record: StoredRecord): Record<string, unknown> {
  const request = record.request ?? {};
  const echoed = Object.entries(ECHOED).map(([name, fallback]): [string, unknown] => [
    name,
    request[name] ?? fallback,
  ]);
  return {
    id: record.id,
    object: "response",
    created_at: Math.floor(Date.parse(record.created_at ?? record.started_at) / 1000),
    status: "failed",
    background: record.held === null ? record.background : true,
    completed_at: null,
    error: withLastWords(breakError(record) ?? lostError(record), record),
    incomplete_details: null,
    model: record.model,
    output: [],
    ...Object.fromEntries(echoed),
    store: record.effective_store ?? true,
    usage: null,
    metadata: record.metadata,
  };
}

/** The error of a held run whose connection broke before its end; null when it did not break, or was closed by a cancel. */
export function breakError({ held, connection_closed }: StoredRecord): ResponseError | null {
  const brokeAt = held?.broke_at ?? null;
  if (brokeAt === null || connection_closed === true) return null;
  const where =
    brokeAt === BREAK_UNKNOWN ? "after an event that is not known" : `after event ${brokeAt}`;
  const message = `The recorder's connection to OpenAI broke ${where}, before the run's end. \`output\` has what had come. Create the response again if you need the rest; that is billed again.`;
  return { code: "server_error", message };
}

function lostError({ verdict }: StoredRecord): ResponseError {
  const what =
    verdict === "abandoned"
      ? "No end of this response was seen within 24 hours."
      : "OpenAI does not have this response any more, and the recorder has not seen its end.";
  const message = `${what} Create it again if you need it; that is billed again.`;
  return { code: "server_error", message };
}

function withLastWords(shown: ResponseError, { error }: StoredRecord): ResponseError {
  if (error === null) return shown;
  return { ...shown, message: `${shown.message} The last that was heard: ${error.message}` };
}
