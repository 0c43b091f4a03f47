// On the list: rows in flight are kept up to date, new runs are announced, and empty fields stay out of the URL.
import { announceToScreenReaders, fetchPage, parseJson, replaceMain } from "./page.js";
import { localizeTimes } from "./times.js";

/** The interval of questions to the recorder, while a run is in flight and the page is visible. It grows while nothing changes. */
const MIN_POLL_MS = 4_000;
const MAX_POLL_MS = 30_000;
const POLL_GROWTH = 1.5;

/** @typedef {{ id: string, status: string | null, verdict: string, calls: number }} Row */

/** @type {(value: unknown) => value is { results: unknown[] }} */
function isList(value) {
  return typeof value === "object" && value !== null && "results" in value;
}

/** @type {(value: unknown) => value is Row} */
function isRow(value) {
  return typeof value === "object" && value !== null && "id" in value && "verdict" in value;
}

/**
 * The rows of a page that show a run.
 * @param {ParentNode} page
 */
function findRows(page) {
  const rows = [...page.querySelectorAll("tr[data-state]")];
  return rows.filter((row) => row instanceof HTMLElement);
}

/**
 * The states of a page's rows, in their order.
 * @param {ParentNode} page
 */
function readStates(page) {
  return findRows(page)
    .map(({ dataset }) => `${dataset["id"]} ${dataset["state"]}`)
    .join("\n");
}

/** The same from the recorder: a few KB of JSON, for which it counts no runs. */
async function fetchStates() {
  const response = await fetch(location.href, { headers: { accept: "application/json" } });
  const list = parseJson(await response.text());
  if (!isList(list)) throw new Error(`HTTP ${response.status}`);
  return list.results
    .filter(isRow)
    .map(({ id, status, verdict, calls }) => `${id} ${status} ${verdict} ${calls}`)
    .join("\n");
}

/**
 * Replaces a part of the page by that of a newer page, unless the focus is in it.
 * @param {Element | undefined | null} part
 * @param {Element | undefined | null} newPart
 */
function replacePart(part, newPart) {
  if (part?.contains(document.activeElement) === false && newPart) part.replaceWith(newPart);
}

/**
 * Replaces a row that has changed; the focus stays at its link. Removes one that the filter no longer lets through.
 * @param {HTMLElement} row
 * @param {HTMLElement[]} newRows The newer page's.
 * @param {boolean} isLastPage Whether no run is listed after the newer page.
 */
function updateRow(row, newRows, isLastPage) {
  const newRow = newRows.find(({ dataset }) => dataset["id"] === row.dataset["id"]);
  if (newRow === undefined) {
    if (isLastPage || hasLaterRow(row, newRows)) removeRow(row);
    return;
  }
  if (newRow.dataset["state"] === row.dataset["state"]) return;
  const index = [...row.querySelectorAll("a")].findIndex((link) => link === document.activeElement);
  row.replaceWith(newRow);
  if (index !== -1) (newRow.querySelectorAll("a")[index] ?? newRow.querySelector("a"))?.focus();
  const chips = [...newRow.querySelectorAll(".chips a")].map((chip) => chip.textContent);
  announceToScreenReaders(`${newRow.querySelector("a")?.textContent ?? ""}: ${chips.join(", ")}`);
}

// A row after it is still listed, so it was not only pushed to the next page.
/**
 * @param {HTMLElement} row
 * @param {HTMLElement[]} newRows
 */
function hasLaterRow(row, newRows) {
  const rows = findRows(document);
  const later = rows.slice(rows.indexOf(row) + 1).map(({ dataset }) => dataset["id"]);
  return newRows.some(({ dataset }) => later.includes(dataset["id"]));
}

/** @param {HTMLElement} row */
function removeRow(row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  if (row.contains(document.activeElement)) neighbour?.querySelector("a")?.focus();
  row.remove();
}

/**
 * The runs of a newer page that are not shown. One below all that are shown is not new: it moved up from the next page.
 * @param {HTMLElement[]} shown
 * @param {HTMLElement[]} newRows
 */
function countNewRuns(shown, newRows) {
  const ids = shown.map(({ dataset }) => dataset["id"]);
  const newIds = newRows.map(({ dataset }) => dataset["id"]);
  const last = Math.max(...ids.map((id) => newIds.indexOf(id)), -1);
  const candidates = last === -1 ? newIds : newIds.slice(0, last);
  return candidates.filter((id) => !ids.includes(id)).length;
}

/** @param {number} count New runs that the page does not show. */
function announceNewRuns(count) {
  const button = document.getElementById("new-runs");
  const text = `Show ${count} new ${count === 1 ? "run" : "runs"}`;
  if (button === null || button.textContent === text) return;
  button.hidden = count === 0;
  button.textContent = text;
  if (count > 0) announceToScreenReaders(`${count} new ${count === 1 ? "run" : "runs"}`);
}

/** Keeps the list up to date. */
class LiveList {
  #delayMs = MIN_POLL_MS;
  #isAsking = false;
  // Of the last page that was fetched: new runs are in it, and not in the document yet.
  #states = readStates(document);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      this.#delayMs = MIN_POLL_MS;
      if (!document.hidden) void this.#ask();
    });
    document.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.id === "new-runs") void this.#showNewRuns();
    });
    this.#schedule();
  }

  #schedule() {
    clearTimeout(this.#timer);
    if (document.hidden || document.querySelector("tr[data-in-flight]") === null) return;
    this.#timer = setTimeout(() => void this.#ask(), this.#delayMs);
  }

  async #ask() {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#delayMs = Math.min(MAX_POLL_MS, this.#delayMs * POLL_GROWTH);
    const states = await fetchStates().catch(() => this.#states);
    const page = states === this.#states ? null : await fetchPage().catch(() => null);
    if (page !== null) this.#update(page);
    this.#isAsking = false;
    this.#schedule();
  }

  /** @param {Document} page The page as it is now. */
  #update(page) {
    this.#delayMs = MIN_POLL_MS;
    this.#states = readStates(page);
    const shown = findRows(document);
    const newRows = findRows(page);
    const newCount = countNewRuns(shown, newRows);
    const isLastPage = page.querySelector("a[rel=next]") === null;
    for (const row of shown) updateRow(row, newRows, isLastPage);
    for (const selector of ["#total", ".verdicts"]) {
      replacePart(document.querySelector(selector), page.querySelector(selector));
    }
    announceNewRuns(newCount);
    localizeTimes();
  }

  async #showNewRuns() {
    const page = await fetchPage().catch(() => null);
    if (page === null) return;
    this.#states = readStates(page);
    replaceMain(page);
    findRows(document)[0]?.querySelector("a")?.focus();
    this.#schedule();
  }
}

// A form without scripts sends empty fields, and a pair of metadata in one field.
document.addEventListener("formdata", ({ formData }) => {
  // A copy, because deleting moves the others.
  for (const [name, value] of Array.from(formData)) {
    if (value === "" && !name.startsWith("metadata[")) formData.delete(name);
  }
  const pair = formData.get("metadata");
  const [, key, value] = (typeof pair === "string" && /^([^=]+)=(.+)$/s.exec(pair)) || [];
  if (key === undefined || value === undefined) return;
  formData.delete("metadata");
  formData.set(`metadata[${key.trim()}]`, value.trim());
});

Object.freeze(new LiveList());
