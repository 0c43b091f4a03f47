// Requests as curl commands, ready to paste into a shell. A shell variable stands in place of each secret. The Worker and the script of the form run this file.

/**
 * A POST of JSON as a curl command.
 * @param {string} url
 * @param {string} tokenVariable The name of the shell variable that holds the bearer token.
 * @param {unknown} body
 */
export function toCurl(url, tokenVariable, body) {
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${url} \\`,
    `  -H "Authorization: Bearer $${tokenVariable}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${json}'`,
  ].join("\n");
}
