// On every page: the copy buttons. On the page of a run: follows the run until it is settled.
import { localizeTimes } from "./times.js";

/** After this many failed connections the page stops following the run. */
const MAX_CONNECTION_FAILURES = 8;
const RECONNECT_BASE_MS = 500;
/** The delays between attempts to fetch the page; null after the last attempt. */
const FETCH_RETRY_DELAYS_MS = [500, 2_000, 5_000, null];
const COPY_LABEL_RESET_MS = 2_000;
const COPY_BUTTONS = "[data-copy], [data-copy-from], [data-copy-url]";

/** @typedef {{ at: string, stage: number, tone: string, text: string, changed: boolean }} RunEvent */

/** @type {(json: string) => unknown} */
export const parseJson = JSON.parse;

/** @param {string} text */
export function announceToScreenReaders(text) {
  document.getElementById("announcement")?.replaceChildren(text);
}

/** Shows the buttons that need JavaScript. */
function showCopyButtons() {
  for (const button of document.querySelectorAll(COPY_BUTTONS)) {
    button.removeAttribute("hidden");
  }
}

/**
 * The text that a button copies: of an element, what a URL answers, or a URL.
 * @param {HTMLElement} button
 */
async function getCopyText(button) {
  const { copy: id, copyFrom: url, copyUrl: path } = button.dataset;
  if (path !== undefined) return new URL(path, location.href).href;
  if (url === undefined) {
    const source = document.getElementById(id ?? "");
    // Between the parts of a long text stand words of the page.
    const parts = [...(source?.querySelectorAll("pre") ?? [])].map((part) => part.textContent);
    return parts.length > 0 ? parts.join("\n") : (source?.textContent ?? "");
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}

/** @param {HTMLElement} button The button that was pressed. */
async function copyToClipboard(button) {
  const label = (button.dataset["label"] ??= button.textContent ?? "");
  button.textContent = await getCopyText(button)
    .then((text) => navigator.clipboard.writeText(text))
    .then(() => "Copied")
    .catch(() => "Not copied");
  announceToScreenReaders(button.textContent);
  setTimeout(() => button.replaceChildren(label), COPY_LABEL_RESET_MS);
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest(COPY_BUTTONS);
  if (button instanceof HTMLElement) void copyToClipboard(button);
});

/**
 * Formats a duration as the server does.
 * @param {number} milliseconds
 */
function formatDuration(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/**
 * Formats the time until something as minutes and seconds.
 * @param {number} milliseconds
 */
function formatCountdown(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @type {(value: unknown) => value is RunEvent} */
function isRunEvent(value) {
  return typeof value === "object" && value !== null && "at" in value && "text" in value;
}

/** @type {(value: unknown) => value is { status: string, at: string }} */
function isStatusEvent(value) {
  return typeof value === "object" && value !== null && "status" in value && "at" in value;
}

/**
 * @param {RunEvent} event
 * @param {number} offsetMs Milliseconds since the first event.
 */
function createEventItem(event, offsetMs) {
  const item = document.createElement("li");
  item.className = event.tone;
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.textContent = `+${(offsetMs / 1_000).toFixed(1)} s`;
  item.append(time, " ", event.text);
  return item;
}

/**
 * Shows what OpenAI said of the run's status, and when. The server's sentence has the same parts.
 * @param {MessageEvent<unknown>} message
 */
function showStatus(message) {
  const event = parseJson(String(message.data));
  if (!isStatusEvent(event)) return;
  document.querySelector("[data-status-name]")?.replaceChildren(event.status.replaceAll("_", " "));
  for (const time of document.querySelectorAll("[data-status] time")) {
    const fresh = document.createElement("time");
    fresh.dateTime = event.at;
    if (time.hasAttribute("data-age")) fresh.dataset["age"] = "0";
    else fresh.textContent = `${event.at.slice(0, 19).replace("T", " ")} UTC`;
    time.replaceWith(fresh);
  }
  localizeTimes();
}

/** Fetches the page again and replaces its main part. Retries failed fetches. */
async function refreshMain() {
  for (const delayMs of FETCH_RETRY_DELAYS_MS) {
    const page = await fetchPage().catch(() => null);
    if (page !== null) return replaceMain(page);
    if (delayMs === null) return;
    await new Promise((resolve) => {
      setTimeout(resolve, delayMs);
    });
  }
}

/** Fetches the page again; a page that leads elsewhere is followed. */
export async function fetchPage() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.redirected) location.assign(response.url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** The focusable elements of the page's main part. */
function findFocusable() {
  const found = document.querySelectorAll("main :is(a, button, summary, textarea, pre)");
  return [...found].filter((element) => element instanceof HTMLElement);
}

/**
 * Replaces the main part by that of a new page. Folded parts stay as they were, and so does the focus.
 * @param {Document} page
 */
export function replaceMain(page) {
  const newMain = page.querySelector("main");
  if (newMain === null) return;
  const openSummaries = [...document.querySelectorAll("main details[open] > summary")].map(
    (summary) => summary.textContent,
  );
  const focusIndex = findFocusable().findIndex((element) => element === document.activeElement);
  document.querySelector("main")?.replaceWith(newMain);
  document.title = page.title;
  const icon = page.querySelector("link[rel=icon]");
  if (icon !== null) document.querySelector("link[rel=icon]")?.replaceWith(icon);
  for (const summary of document.querySelectorAll("main details > summary")) {
    if (openSummaries.includes(summary.textContent)) {
      summary.parentElement?.setAttribute("open", "");
    }
  }
  showCopyButtons();
  localizeTimes();
  findFocusable()
    .at(focusIndex === -1 ? Infinity : focusIndex)
    ?.focus({ preventScroll: true });
}

/** Follows the run of this page until it is settled. */
class RunFollower {
  // By event id, because a new connection can repeat events.
  /** @type {Map<string, RunEvent>} */
  #events = new Map();
  #failures = 0;
  /** @type {Promise<void>} */
  #lastRefresh = Promise.resolve();
  // The refresh that has not begun yet.
  /** @type {Promise<void> | null} */
  #pendingRefresh = null;
  #startedAtMs;
  #clockTimer;
  #url;

  /** @param {HTMLElement} card The progress card. */
  constructor(card) {
    this.#url = card.dataset["follow"] ?? "";
    this.#startedAtMs = performance.now() - Number(card.dataset["elapsedMs"]);
    this.#clockTimer = setInterval(() => this.#updateClocks(), 1_000);
    this.#updateClocks();
    this.#connect();
  }

  #connect() {
    const source = new EventSource(this.#url);
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.#showConnection("");
    });
    source.addEventListener("step", (message) => this.#handleEvent(message));
    source.addEventListener("status", (message) => showStatus(message));
    source.addEventListener("error", () => this.#handleError(source));
    source.addEventListener("end", () => {
      source.close();
      void this.#finish();
    });
  }

  // The browser reconnects by itself, with Last-Event-ID, unless the response was not an event stream.
  /** @param {EventSource} source The connection that broke. */
  #handleError(source) {
    this.#showConnection("Reconnecting…");
    if (source.readyState !== EventSource.CLOSED) return;
    this.#failures += 1;
    if (this.#failures > MAX_CONNECTION_FAILURES)
      return this.#showConnection("The connection is lost. Refresh the page.");
    setTimeout(() => this.#connect(), RECONNECT_BASE_MS * 2 ** this.#failures);
  }

  /** @param {MessageEvent<unknown>} message */
  #handleEvent(message) {
    const event = parseJson(String(message.data));
    if (!isRunEvent(event) || this.#events.has(message.lastEventId)) return;
    this.#events.set(message.lastEventId, event);
    this.#render();
    if (event.changed) void this.#scheduleRefresh();
  }

  #render() {
    const events = [...this.#events.values()];
    const [first, last] = [events.at(0), events.at(-1)];
    if (first === undefined || last === undefined) return;
    // A busy event is shown only while it is the last: a later event reports its result.
    const shown = events.filter((event) => event.tone !== "busy" || event === last);
    const items = shown.map((event) =>
      createEventItem(event, Date.parse(event.at) - Date.parse(first.at)),
    );
    document.querySelector("[data-events]")?.replaceChildren(...items);
    localizeTimes();
    this.#showCurrentEvent(last.text);
    this.#showStage(Math.max(...events.map((event) => event.stage)));
  }

  /** @param {number} reached The stage that the run is in, from 1. */
  #showStage(reached) {
    document.querySelector("[data-follow] progress")?.setAttribute("value", String(reached));
    for (const [index, stage] of document.querySelectorAll(".stages li").entries()) {
      stage.classList.toggle("reached", index < reached);
      stage.removeAttribute("aria-current");
      if (index + 1 === reached) stage.setAttribute("aria-current", "step");
    }
  }

  /** @param {string} text */
  #showCurrentEvent(text) {
    const element = document.querySelector("[data-current-event]");
    if (element !== null && element.textContent !== text) element.textContent = text;
  }

  /** @param {string} text What is wrong with the connection to the server. */
  #showConnection(text) {
    document.querySelector("[data-connection]")?.replaceChildren(text);
  }

  #updateClocks() {
    document
      .querySelector("[data-clock]")
      ?.replaceChildren(formatDuration(performance.now() - this.#startedAtMs));
    this.#updateCountdown();
  }

  // The time that is left is the server's, so a browser's clock that is wrong does not matter.
  #updateCountdown() {
    const element = document.querySelector("[data-countdown-ms]");
    if (!(element instanceof HTMLElement)) return;
    const { dataset } = element;
    dataset["endsAtMs"] ??= String(performance.now() + Number(dataset["countdownMs"]));
    const leftMs = Number(dataset["endsAtMs"]) - performance.now();
    element.textContent = leftMs > 0 ? `in ${formatCountdown(leftMs)}` : "now";
  }

  // One refresh at a time. Events that come during one share the next.
  #scheduleRefresh() {
    this.#pendingRefresh ??= this.#refreshAfter(this.#lastRefresh);
    this.#lastRefresh = this.#pendingRefresh;
    return this.#lastRefresh;
  }

  /** @param {Promise<void>} previous The refresh before. */
  async #refreshAfter(previous) {
    await previous;
    this.#pendingRefresh = null;
    await refreshMain();
    this.#render();
    this.#updateClocks();
  }

  async #finish() {
    clearInterval(this.#clockTimer);
    // Without ?follow: the run has ended, so the refreshed page shows no progress.
    history.replaceState(null, "", location.pathname);
    await this.#scheduleRefresh();
    announceToScreenReaders(
      `${document.querySelector("h1")?.textContent ?? ""}. Finished checking.`,
    );
  }
}

showCopyButtons();
const card = document.querySelector("[data-follow]");
if (card instanceof HTMLElement) Object.freeze(new RunFollower(card));
