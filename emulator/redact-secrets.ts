/** Request keys whose values are credentials. The API never returns them. */
const SECRET_KEYS = new Set(["domain_secrets"]);

/** Copies a JSON value without its credentials. */
export function redactSecrets(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, omitSecret));
}

function omitSecret(key: string, value: unknown): unknown {
  return SECRET_KEYS.has(key) ? undefined : value;
}
