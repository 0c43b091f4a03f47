// Updates the curl command next to the form while the user types.
const form = document.getElementById("trigger-form");
const command = document.getElementById("curl");

/** @type {(json: string) => Record<string, unknown>} */
const parseJson = JSON.parse;

/**
 * The create parameters, as the server derives them from the form.
 * @param {(name: string) => string} getField The text of a field.
 */
function toCreateParams(getField) {
  /** @type {Record<string, unknown>} */
  const params = {};
  for (const name of ["input", "model"]) {
    if (getField(name) !== "") params[name] = getField(name);
  }
  const container = { type: "auto", memory_limit: getField("memory") };
  if (getField("memory") !== "none") params["tools"] = [{ type: "code_interpreter", container }];
  for (const name of ["control", "stream", "hold"]) {
    if (getField(name) !== "") params[name] = true;
  }
  return Object.assign(params, getField("advanced") === "" ? {} : parseJson(getField("advanced")));
}

/** @param {HTMLFormElement} source The form. */
function toCurl(source) {
  const fields = new FormData(source);
  const params = toCreateParams((name) => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  });
  const json = JSON.stringify(params, null, 2).replaceAll("'", String.raw`'\''`);
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
    command?.replaceChildren(toCurl(form));
  } catch {
    // The JSON is incomplete while the user types: the command stays as it was.
    return;
  }
});
