// Calls between objects that sometimes fail, before they took effect or after it.
import { countOperation, drawFault, throwFault, type FaultKind } from "./faults.ts";
import { getMember } from "./members.ts";

/**
 * Returns a class of objects to which some calls fail, by the soak's seed.
 * @param kind What the log calls such a fault.
 */
export function withCallFaults<T extends Rpc.DurableObjectBranded | undefined>(
  objects: DurableObjectNamespace<T>,
  env: Env,
  kind: FaultKind,
): DurableObjectNamespace<T> {
  const get = (id: DurableObjectId) => withFaults(objects.get(id), id.name ?? "", env, kind);
  return new Proxy(objects, {
    get: (owner, name) => (name === "get" ? get : getMember(owner, name)),
  });
}

function withFaults<Stub extends object>(
  stub: Stub,
  owner: string,
  env: Env,
  kind: FaultKind,
): Stub {
  return new Proxy(stub, {
    get: (real, name) => {
      const member = getMember(real, name);
      if (typeof member !== "function" || typeof name === "symbol") return member;
      return async (...given: unknown[]): Promise<unknown> => {
        const operation = countOperation(`${name} of ${owner}`);
        const moment = drawFault(env, operation);
        if (moment === "before") throwFault(kind, operation, moment);
        const result: unknown = await Reflect.apply(member, undefined, given);
        if (moment === null) return result;
        if (result instanceof ReadableStream) await result.cancel();
        return throwFault(kind, operation, moment);
      };
    },
  });
}
