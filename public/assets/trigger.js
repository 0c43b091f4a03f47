// The form of a new run: keeps the curl command in step, shows what is wrong in a field, and sends by Ctrl+Enter.
import { toCurl } from "./curl.js";
import { FieldError, toParams } from "./form-params.js";

const form = document.getElementById("trigger-form");
const command = document.getElementById("curl");

/** The field whose error this script shows. @type {string | null} */
let wrongField = null;
let isSent = false;

/** @param {HTMLFormElement} source */
function readFields(source) {
  const fields = new FormData(source);
  /** @param {string} name */
  const read = (name) => {
    const value = fields.get(name);
    return typeof value === "string" ? value : "";
  };
  return {
    input: read("input"),
    model: read("model"),
    memory: read("memory"),
    file_ids: read("file_ids"),
    previous_response_id: read("previous_response_id"),
    hold: read("hold"),
    stream: read("stream"),
    control: read("control"),
    retention_days: read("retention_days"),
    advanced: read("advanced"),
  };
}

/**
 * Shows an error at its field.
 * @param {string} field
 * @param {string | null} message Null removes it.
 */
function showError(field, message) {
  const place = document.getElementById(`${field}-error`);
  place?.replaceChildren(message ?? "");
  place?.toggleAttribute("hidden", message === null);
  const input = document.getElementById(field);
  if (message === null) input?.removeAttribute("aria-invalid");
  else input?.setAttribute("aria-invalid", "true");
}

/** @param {HTMLFormElement} source */
function update(source) {
  if (wrongField !== null) showError(wrongField, null);
  wrongField = null;
  try {
    const params = toParams(readFields(source));
    command?.replaceChildren(toCurl(command.dataset["url"] ?? "", "ACCESS_TOKEN", params));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    // The command stays as it was.
    wrongField = error.field;
    showError(error.field, error.message);
  }
}

if (form instanceof HTMLFormElement) {
  form.addEventListener("input", ({ target }) => {
    if (target instanceof HTMLElement) showError(target.id, null);
    update(form);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  // A second press would start a second run.
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
  });
  // The browser can show the page again as it was left.
  window.addEventListener("pageshow", () => {
    isSent = false;
  });
}
