// Requests as curl, ready to paste into a shell. They name a variable where a secret belongs.

/**
 * A POST of JSON as curl.
 * @param url Where to.
 * @param variable The shell variable that holds the token.
 * @param body What to send.
 */
export function toCurl(url: string, variable: string, body: unknown): string {
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${url} \\`,
    `  -H "Authorization: Bearer $${variable}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}'`,
  ].join("\n");
}
