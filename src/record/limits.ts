// Limits that several rooms share.

/** A value in KV has at most this many bytes. https://developers.cloudflare.com/kv/platform/limits/ */
export const MAX_VALUE_BYTES = 25 * 1024 * 1024;

/** Characters of a file's name, as most file systems allow. It stands in a header. */
export const MAX_FILENAME_LENGTH = 255;

/** Characters that are kept of the code and of the message of an error of OpenAI's. */
export const MAX_ERROR_CODE_LENGTH = 128;
export const MAX_ERROR_MESSAGE_LENGTH = 2_000;

/** Days that a record can be kept, by the setting or by a trigger. */
export const MAX_RETENTION_DAYS = 3_650;

/** Levels of arrays and objects in JSON from OpenAI; a response has perhaps twenty. Deeper JSON counts as broken. */
export const MAX_UPSTREAM_DEPTH = 1_000;
