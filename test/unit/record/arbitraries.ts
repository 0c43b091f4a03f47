// Arbitrary observations and events of a record.
import * as fc from "fast-check";
import {
  NO_RESULT,
  type Channel,
  type ControlResult,
  type FileCitation,
  type ObservationResult,
  type StoredCall,
  type TriggerOptions,
  type Webhook,
} from "../../../src/record/schema.ts";
import { toTime } from "../../resilience/simulation/clock.ts";

const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "incomplete", "odd"];

const seconds = fc.nat(100_000);
const time = seconds.map(toTime);
export const status = fc.constantFrom(...STATUSES);
export const httpStatus = fc.constantFrom(200, 401, 404, 429, 500, null);
export const outputState = fc.constantFrom("populated" as const, "empty" as const, "null" as const);

const call = fc.record({
  id: fc.constantFrom("ci_1", "ci_2", "ci_3"),
  status: fc.constantFrom("in_progress", "interpreting", "incomplete", "completed", "odd", null),
  container_id: fc.constantFrom("cntr_1", null),
  type: fc.constant("code_interpreter_call"),
  request: fc.constantFrom("print(1)", "x = 1", "(", null),
  state: outputState,
});
const calls = fc.uniqueArray(call, { selector: ({ id }) => id, maxLength: 3 });
const error = fc.constantFrom(null, { code: "broken", message: "It broke." });

const fields = fc.record({
  status,
  model: fc.constantFrom("m", null),
  background: fc.constantFrom(true, null),
  store: fc.constantFrom(true, false, null),
  created_at: fc.constantFrom(toTime(0), null),
  completed_at: fc.constantFrom(toTime(60), null),
  options: fc.constantFrom<TriggerOptions | null>(null, {
    include: [],
    stream: true,
    control: true,
    hold: true,
    retention_days: null,
  }),
  metadata: fc.constantFrom<Record<string, string>>({}, { user: "a" }),
  error,
  conversation: fc.constantFrom("conv_1", null),
  containers: fc.constantFrom<string[]>([], ["cntr_1"]),
  cited_files: fc.constant<FileCitation[]>([]),
  tools: fc.constantFrom<string[] | null>(null, ["code_interpreter"]),
  cites: fc.constant({ files: false, urls: false }),
  usage: fc.constant(null),
  lacks_items: fc.boolean(),
});

export const observationResult: fc.Arbitrary<ObservationResult> = fc
  .record({
    at: time,
    channel: fc.constantFrom<Channel>("refetch", "refetch", "stream", "conversation", "held"),
    http_status: httpStatus,
    fields: fc.option(fields),
    calls: fc.option(calls),
    body: fc.constantFrom(null, { digest: "a", bytes: 1 }, { digest: "b", bytes: 2 }),
    error,
    refused: fc.boolean(),
    retry_after_seconds: fc.constantFrom(null, 5, 9_000),
    from_connection: fc.boolean(),
    broke_at: fc.constantFrom(null, "response.in_progress"),
  })
  .map(({ at, channel, http_status, ...rest }) => {
    const observed = (rest.calls ?? []).map(({ id, state }) => ({ id, outputs: state }));
    const answer = { status: rest.fields?.status ?? null, request_id: null, calls: observed };
    return { ...NO_RESULT, ...rest, observation: { at, channel, http_status, ...answer } };
  });

export const controlResult: fc.Arbitrary<ControlResult> = fc
  .record({ at: time, observed: calls, ended: status })
  .map(({ at, observed, ended }) => ({
    observation: {
      at,
      channel: "control",
      http_status: 200,
      status: ended,
      request_id: null,
      calls: [],
    },
    control: {
      id: "resp_control",
      status: ended,
      calls: observed.map((one): StoredCall => ({
        ...one,
        verdict: null,
        source: null,
        hint: null,
      })),
    },
  }));

export const webhook: fc.Arbitrary<Webhook> = time.map((received_at) => ({
  id: `wh_${received_at}`,
  type: "response.completed",
  received_at,
}));
