/** Keys of requests whose values are credentials, and are never given back. */
const SECRET = new Set(["domain_secrets"]);

/** A copy of a JSON value without the credentials in it. */
export function concealed(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, conceal));
}

function conceal(key: string, value: unknown): unknown {
  return SECRET.has(key) ? undefined : value;
}
