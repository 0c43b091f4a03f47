// Requests as curl commands, ready to paste into a shell. A shell variable stands in place of each secret.

/**
 * A POST of JSON as a curl command.
 * @param tokenVariable The name of the shell variable that holds the bearer token.
 */
export function toCurl(url: string, tokenVariable: string, body: unknown): string {
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${url} \\`,
    `  -H "Authorization: Bearer $${tokenVariable}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}'`,
  ].join("\n");
}
