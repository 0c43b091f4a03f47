// Keeps the command beside the form in step with what is typed.
const form = document.getElementById("ask");
const command = document.getElementById("curl");

/** @type {(json: string) => Record<string, unknown>} */
const parse = JSON.parse;

/**
 * @param {(name: string) => string} value The text of a field.
 * @returns {Record<string, unknown>} What the server makes of them too.
 */
function bodyOf(value) {
  /** @type {Record<string, unknown>} */
  const body = {};
  for (const name of ["input", "model"]) {
    if (value(name) !== "") body[name] = value(name);
  }
  const container = { type: "auto", memory_limit: value("memory") };
  if (value("memory") !== "none") body["tools"] = [{ type: "code_interpreter", container }];
  for (const name of ["control", "replay", "hold"]) {
    if (value(name) !== "") body[name] = true;
  }
  return Object.assign(body, value("advanced") === "" ? {} : parse(value("advanced")));
}

/** @param {HTMLFormElement} from The form. */
function commandOf(from) {
  const fields = new FormData(from);
  const body = bodyOf((name) => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  });
  const json = JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${command?.dataset["url"] ?? ""} \\`,
    '  -H "Authorization: Bearer $ACCESS_TOKEN" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${json}'`,
  ].join("\n");
}

form?.addEventListener("input", () => {
  if (!(form instanceof HTMLFormElement)) return;
  try {
    command?.replaceChildren(commandOf(form));
  } catch {
    // Half-typed JSON: the command stays as it was.
    return;
  }
});
