// What can be read of a stored state that does not parse: another version's, or one with an odd member. Pure.
// A delete needs no more than this.
import * as z from "zod";
import { DEFAULT_LIMITS } from "./policy.ts";
import { Channel } from "./schema.ts";
import { KvKey, STATE_VERSION, type GoneState } from "./state.ts";

const time = z.iso.datetime().nullable().catch(null);
const name = z.string().nullable().catch(null);
const storedKeys = z
  .array(z.unknown())
  .catch([])
  .transform((all) => all.flatMap((key) => KvKey.safeParse(key).data ?? []));

const NO_RECORD = {
  started_at: null,
  expires_at: null,
  connection: null,
  control_connection: null,
};
const Salvage = z.looseObject({
  record: z
    .looseObject({
      started_at: time,
      expires_at: time,
      connection: z.looseObject({ id: name }).nullable().catch(null),
      control_connection: name,
    })
    .catch(NO_RECORD),
  kv: z.looseObject({ keys: storedKeys }).catch({ keys: [] }),
});

/** What can be read of a state. */
export type Salvage = z.infer<typeof Salvage>;

/**
 * Reads what can be read.
 * @param value The stored state, parsed; undefined when it is no JSON.
 */
export function salvageState(value: unknown): Salvage {
  return Salvage.safeParse(value).data ?? { record: NO_RECORD, kv: { keys: [] } };
}

/**
 * What remains of such a run when it is deleted.
 * @param id The response's id.
 */
export function toDeletedState({ record, kv }: Salvage, id: string, now: number): GoneState {
  const started_at = record.started_at ?? new Date(now).toISOString();
  return {
    version: STATE_VERSION,
    kind: "deleted",
    id,
    started_at,
    limits: DEFAULT_LIMITS,
    turn: 0,
    running: null,
    unsaved: false,
    alarm_at_ms: null,
    gone_at_ms: now,
    keys: withFixedKeys(kv.keys),
    connections: [record.connection?.id ?? null, record.control_connection].filter(
      (connection) => connection !== null,
    ),
    erased: 0,
    catalog_version: 0,
    attempts: 0,
    not_before_ms: 0,
  };
}

// The names of these are known without the state.
function withFixedKeys(keys: KvKey[]): KvKey[] {
  const fixed: KvKey[] = [
    { type: "record" },
    ...Channel.options.map((channel) => ({ type: "outputs" as const, channel })),
  ];
  return [...fixed, ...keys.filter(({ type }) => type === "file")];
}
