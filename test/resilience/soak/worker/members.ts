// Members of the platform's objects.

/** A member of an object. Methods of the platform need their own object as `this`. */
export function getMember(owner: object, name: string | symbol): unknown {
  const found: unknown = Reflect.get(owner, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, owner, given);
}
