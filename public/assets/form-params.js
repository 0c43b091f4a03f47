// The create parameters and flags that the form of a new run stands for. The Worker and the page's script run this file.
import { describeJsonError } from "./json-error.js";

/**
 * The fields of the form as they were typed; an empty text for a field that was left empty, and for a flag that is off.
 * @typedef {object} FormFields
 * @property {string} input
 * @property {string} model
 * @property {string} memory Of the code interpreter's container; "" for OpenAI's default, `none` for no code interpreter.
 * @property {string} file_ids
 * @property {string} previous_response_id
 * @property {string} hold
 * @property {string} stream
 * @property {string} control
 * @property {string} retention_days
 * @property {string} advanced
 */

/** What is wrong in a field. */
export class FieldError extends Error {
  /**
   * @param {keyof FormFields} field
   * @param {string} message
   */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** @type {(json: string) => unknown} */
const parseJson = JSON.parse;

/**
 * The create parameters and flags of a form. Those of the advanced field override the other fields.
 * @param {FormFields} form
 * @returns {Record<string, unknown>}
 * @throws FieldError
 */
export function toParams(form) {
  const advanced = parseAdvanced(form.advanced);
  // Browsers send line breaks of a form as CR LF.
  const input = form.input.replaceAll("\r\n", "\n");
  const model = form.model.trim();
  const previous = form.previous_response_id.trim();
  const days = form.retention_days.trim();
  return {
    ...(input.trim() === "" ? {} : { input }),
    ...(model === "" ? {} : { model }),
    ...toTools(form, "tools" in advanced),
    ...(previous === "" ? {} : { previous_response_id: previous }),
    ...(form.hold === "" ? {} : { hold: true }),
    ...(form.stream === "" ? {} : { stream: true }),
    ...(form.control === "" ? {} : { control: true }),
    // The Worker refuses what is no number.
    ...(days === "" ? {} : { retention_days: /^\d+$/.test(days) ? Number(days) : days }),
    ...advanced,
  };
}

/**
 * @param {Pick<FormFields, "memory" | "file_ids">} form
 * @param {boolean} isOverridden Whether the advanced field has tools of its own.
 */
function toTools({ memory, file_ids }, isOverridden) {
  const ids = file_ids.split(/[\s,]+/).filter((id) => id !== "");
  if (ids.length > 0 && isOverridden) {
    throw new FieldError(
      "file_ids",
      "The advanced field has tools of its own: name the files there.",
    );
  }
  if (ids.length > 0 && memory === "none") {
    throw new FieldError("file_ids", "Files go into code interpreter's container: turn it on.");
  }
  if (memory === "none") return {};
  const container = {
    type: "auto",
    ...(memory === "" ? {} : { memory_limit: memory }),
    ...(ids.length === 0 ? {} : { file_ids: ids }),
  };
  return { tools: [{ type: "code_interpreter", container }] };
}

/**
 * @param {string} json
 * @returns {Record<string, unknown>}
 */
function parseAdvanced(json) {
  if (json.trim() === "") return {};
  const value = tryToParse(json);
  if (isObject(value)) return value;
  throw new FieldError("advanced", "This must be one JSON object, in braces.");
}

/** @param {string} json */
function tryToParse(json) {
  try {
    return parseJson(json);
  } catch {
    throw new FieldError("advanced", describeJsonError(json));
  }
}

/** @type {(value: unknown) => value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
