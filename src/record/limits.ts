// Limits that several rooms share.

/** A value in KV has at most this many bytes. https://developers.cloudflare.com/kv/platform/limits/ */
export const MAX_VALUE_BYTES = 25 * 1024 * 1024;

/** Days that a record can be kept, by the setting or by a trigger. */
export const MAX_RETENTION_DAYS = 3_650;

/** Levels of arrays and objects in JSON from OpenAI; a response has perhaps twenty. Deeper JSON counts as broken. */
export const MAX_UPSTREAM_DEPTH = 1_000;
