// Calls something after each call of a method.

/** Replaces a method of one object of the platform. `after` gets the result. */
export function spyOn(owner: object, name: string, after: (result: unknown) => void): void {
  const method = getMethod(owner, name);
  const value = (...args: unknown[]): unknown => {
    const result: unknown = Reflect.apply(method, owner, args);
    after(result);
    return result;
  };
  Object.defineProperty(owner, name, { value });
}

/**
 * Replaces all public methods that a class inherits, down to a base class, so that a method that is added later is not forgotten.
 * @param call Gets the instance, the method's name, its arguments, and the method.
 */
export function spyOnMethods(
  prototype: object,
  base: object,
  call: (instance: object, name: string, args: unknown[], method: () => unknown) => unknown,
): void {
  for (const name of inheritedNames(prototype, base)) {
    const method = getMethod(prototype, name);
    const value = function value(this: object, ...args: unknown[]): unknown {
      return call(this, name, args, (): unknown => Reflect.apply(method, this, args));
    };
    Object.defineProperty(prototype, name, { value });
  }
}

function inheritedNames(prototype: object, base: object): Set<string> {
  const names = new Set<string>();
  let one: unknown = Reflect.getPrototypeOf(prototype);
  while (one instanceof Object && one !== base) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
    one = Reflect.getPrototypeOf(one);
  }
  names.delete("constructor");
  return names;
}

function getMethod(owner: object, name: string): Function {
  const found: unknown = Reflect.get(owner, name);
  if (typeof found !== "function") throw new Error(`${name} is no method`);
  return found;
}
