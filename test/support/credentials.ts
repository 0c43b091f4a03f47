// The credentials of a test's Worker. They are apart from world.ts, so that unit tests don't import wrangler.
export const TOKEN = "a-token-for-tests-only";
export const READ_TOKEN = "a-token-that-only-reads";
export const API_KEY = "sk-emulated-for-tests";
export const WEBHOOK_SECRET = "whsec_c2VjcmV0LWZvci10ZXN0cy1vbmx5LTEyMzQ1";
