/** A cursor that the KV of `test/support/catalog-worker` refuses, as the real one does; the local one takes any. */
export const REFUSED_CURSOR = "refused-cursor";
