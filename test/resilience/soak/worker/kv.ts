// KV whose writes sometimes fail, before they took effect or after it, or with which their Recorder dies.
import { countOperation, drawFault, throwFault } from "./faults.ts";
import { getMember } from "./members.ts";

/**
 * Returns the KV of an environment with faults, drawn by the soak's seed.
 * @param die Ends the object that writes.
 */
export function withWriteFaults(env: Env, die: (operation: string) => void): KVNamespace {
  const put = async (...given: Parameters<KVNamespace["put"]>): Promise<void> => {
    const [key, value] = given;
    const operation = countOperation(`write of ${key}`);
    const death = `death at ${operation}`;
    const deathMoment = drawFault(env, death);
    const moment = drawFault(env, operation);
    if (deathMoment === "before") die(death);
    if (moment === "before") {
      // As KV does with a value that it refuses.
      if (value instanceof ReadableStream) await value.cancel();
      throwFault("kv", operation, moment);
    }
    await env.RECORDS.put(...given);
    if (deathMoment !== null) die(death);
    if (moment !== null) throwFault("kv", operation, moment);
  };
  return new Proxy(env.RECORDS, {
    get: (store, name) => (name === "put" ? put : getMember(store, name)),
  });
}
