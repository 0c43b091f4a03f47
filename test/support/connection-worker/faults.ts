// Bindings of a Connection that a test can make fail: its storage, and the Recorders that it calls.
import type { Mode } from "../connection-worker.ts";

type Open = ReturnType<Env["CONNECTION"]["get"]>["open"];

/**
 * Makes an object's storage refuse writes while `isRefusing` says so.
 * @param storage The object's own; it is changed.
 */
export function addStorageFaults(storage: DurableObjectStorage, isRefusing: () => boolean): void {
  refuseCalls(storage.kv, "put", isRefusing);
  refuseCalls(storage.kv, "delete", isRefusing);
  refuseCalls(storage, "transactionSync", isRefusing);
}

function refuseCalls<T extends object>(
  target: T,
  name: keyof T & string,
  isRefusing: () => boolean,
): void {
  const real: unknown = target[name];
  if (typeof real !== "function") throw new Error(`${name} is not a method.`);
  const value = (...given: unknown[]): unknown => {
    if (isRefusing()) throw new Error("Storage refuses the write.");
    return Reflect.apply(real, target, given);
  };
  Object.defineProperty(target, name, { value });
}

/** Returns an environment whose Recorders can't be reached, or never answer, while `getMode` says so. */
export function withRecorderFaults(env: Env, getMode: () => Mode): Env {
  const get = (...given: Parameters<Env["RECORDER"]["get"]>) => {
    const recorder = env.RECORDER.get(...given);
    if (getMode() === "refuses") throw new Error("The Recorder can't be reached.");
    if (getMode() === "works") return recorder;
    return new Proxy(recorder, { get: () => () => new Promise(() => undefined) });
  };
  return { ...env, RECORDER: replaceMembers(env.RECORDER, { get }) };
}

/** Returns an environment in which the call that opens a control never ends and opens nothing. */
export function withHangingControls(env: Env): Env {
  const open = (...given: Parameters<Open>) => {
    const [, , name, params] = given;
    const connection = env.CONNECTION.get(env.CONNECTION.idFromName(name));
    return params.kind === "control" ? new Promise(() => undefined) : connection.open(...given);
  };
  const get = (...given: Parameters<Env["CONNECTION"]["get"]>) =>
    new Proxy(env.CONNECTION.get(...given), {
      get: (connection, name): unknown => (name === "open" ? open : Reflect.get(connection, name)),
    });
  return { ...env, CONNECTION: replaceMembers(env.CONNECTION, { get }) };
}

// Methods of the platform need their own object as `this`.
function replaceMembers<T extends object>(target: T, members: Record<string, unknown>): T {
  const get = (real: T, name: string | symbol): unknown => {
    if (typeof name === "string" && name in members) return members[name];
    const found: unknown = Reflect.get(real, name, real);
    if (typeof found !== "function") return found;
    return (...given: unknown[]): unknown => Reflect.apply(found, real, given);
  };
  return new Proxy(target, { get });
}
