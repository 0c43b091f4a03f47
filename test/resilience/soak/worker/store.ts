// KV that refuses writes now and then, also after they took effect.
import { draw, fail } from "./faults.ts";

/** The store of an environment, with writes that fail by the soak's seed. */
export function faultyStore(env: Env): KVNamespace {
  const tries = new Map<string, number>();
  const put = async (...given: Parameters<KVNamespace["put"]>): Promise<void> => {
    const [key] = given;
    const time = (tries.get(key) ?? 0) + 1;
    tries.set(key, time);
    const what = `write ${time} of ${key}`;
    const failure = draw(env, what);
    if (failure === "before") fail("kv", what, failure);
    await env.RECORDS.put(...given);
    if (failure !== null) fail("kv", what, failure);
  };
  return new Proxy(env.RECORDS, {
    get: (store, name) => (name === "put" ? put : member(store, name)),
  });
}

// Methods of the platform's objects want their own object as `this`.
function member(store: KVNamespace, name: string | symbol): unknown {
  const found: unknown = Reflect.get(store, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, store, given);
}
