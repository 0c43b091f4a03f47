/** Keys of requests whose values are credentials, and are never given back. */
const SECRET_KEYS = new Set(["domain_secrets"]);

/** A copy of a JSON value without the credentials in it. */
export function redactSecrets(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, omitSecret));
}

function omitSecret(key: string, value: unknown): unknown {
  return SECRET_KEYS.has(key) ? undefined : value;
}
