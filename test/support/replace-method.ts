// Objects of the platform with a method of a test's.

/**
 * An object whose method is replaced.
 * @param target An object of the platform: its other methods need it as their own `this`.
 */
export function replaceMethod<T extends object, Name extends keyof T>(
  target: T,
  name: Name,
  method: T[Name],
): T {
  return new Proxy(target, {
    get: (_, wanted) => (wanted === name ? method : bind(target, wanted)),
  });
}

function bind(target: object, name: string | symbol): unknown {
  const found: unknown = Reflect.get(target, name);
  if (typeof found !== "function") return found;
  return (...given: unknown[]): unknown => Reflect.apply(found, target, given);
}
