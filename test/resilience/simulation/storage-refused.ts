/** An object's storage refused a write: the call, or the result, came to nothing. */
export class StorageRefused extends Error {}
