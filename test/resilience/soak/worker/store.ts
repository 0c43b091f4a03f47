// KV whose writes sometimes fail, before they took effect or after it.
import { drawFault, throwFault } from "./faults.ts";

/** Returns the KV of an environment, of whose writes some fail, by the soak's seed. */
export function withWriteFaults(env: Env): KVNamespace {
  const attempts = new Map<string, number>();
  const put = async (...given: Parameters<KVNamespace["put"]>): Promise<void> => {
    const [key] = given;
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    const operation = `write ${attempt} of ${key}`;
    const moment = drawFault(env, operation);
    if (moment === "before") throwFault("kv", operation, moment);
    await env.RECORDS.put(...given);
    if (moment !== null) throwFault("kv", operation, moment);
  };
  return new Proxy(env.RECORDS, {
    get: (store, name) => (name === "put" ? put : getMember(store, name)),
  });
}

// Methods of the platform need their own object as `this`.
function getMember(store: KVNamespace, name: string | symbol): unknown {
  const found: unknown = Reflect.get(store, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, store, given);
}
