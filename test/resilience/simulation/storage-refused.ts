/** An object's storage refused a write: the call, or the result, came to nothing. */
export class StorageRefused extends Error {}

/** Whether the object's storage took it. */
export function attempt(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof StorageRefused)) throw error;
    return false;
  }
}
