// What every page has: buttons that copy. What a run's page has: following it until it is settled.

/** Attempts to reach the stream after which the page gives up. */
const MOST_FAILURES = 8;
/** Milliseconds between attempts to fetch the page; null ends them. */
const GAPS = [500, 2_000, 5_000, null];

/** @typedef {{ at: string, stage: number, tone: string, text: string, news: boolean }} Told */

/** @type {(json: string) => unknown} */
const parse = JSON.parse;

/** @param {string} words For screen readers. */
function announce(words) {
  document.getElementById("said")?.replaceChildren(words);
}

/** Shows the buttons that need script. */
function showButtons() {
  for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
    button.removeAttribute("hidden");
  }
}

/** @param {HTMLElement} button What it copies. */
async function textFor(button) {
  const { copy: id, copyFrom: url } = button.dataset;
  if (url === undefined) {
    const source = document.getElementById(id ?? "");
    return source instanceof HTMLTextAreaElement ? source.value : (source?.textContent ?? "");
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.text();
}

/** @param {HTMLElement} button The one that was pressed. */
async function copy(button) {
  const label = (button.dataset["label"] ??= button.textContent ?? "");
  button.textContent = await textFor(button)
    .then((text) => navigator.clipboard.writeText(text))
    .then(() => "Copied")
    .catch(() => "Not copied");
  announce(button.textContent);
  setTimeout(() => button.replaceChildren(label), 2_000);
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest("[data-copy], [data-copy-from]");
  if (button instanceof HTMLElement) void copy(button);
});

/** @param {number} milliseconds A length of time, as the server writes it. */
function duration(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** @type {(value: unknown) => value is Told} */
function isTold(value) {
  return typeof value === "object" && value !== null && "at" in value && "text" in value;
}

/**
 * @param {Told} event What happened.
 * @param {number} since Milliseconds since the first event.
 */
function itemOf(event, since) {
  const item = document.createElement("li");
  item.className = event.tone;
  const time = document.createElement("time");
  time.dateTime = event.at;
  time.textContent = `+${(since / 1_000).toFixed(1)} s`;
  item.append(time, " ", event.text);
  return item;
}

/** Puts the page as the server has it now in the place of what is shown. Reaches for it again when it can't be had. */
async function swap() {
  for (const gap of GAPS) {
    const page = await newPage().catch(() => null);
    if (page !== null) return show(page);
    if (gap === null) return;
    await new Promise((resolve) => {
      setTimeout(resolve, gap);
    });
  }
}

async function newPage() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (answer.redirected) location.assign(answer.url);
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Where the keyboard can stop in the page's main part. */
function stops() {
  const found = document.querySelectorAll("main :is(a, button, summary, textarea, pre)");
  return [...found].filter((stop) => stop instanceof HTMLElement);
}

/** @param {Document} page What the server sent. */
function show(page) {
  const fresh = page.querySelector("main");
  if (fresh === null) return;
  const open = [...document.querySelectorAll("main details[open] > summary")].map(
    (summary) => summary.textContent,
  );
  const focused = stops().findIndex((stop) => stop === document.activeElement);
  document.querySelector("main")?.replaceWith(fresh);
  document.title = page.title;
  for (const summary of document.querySelectorAll("main details > summary")) {
    if (open.includes(summary.textContent)) summary.parentElement?.setAttribute("open", "");
  }
  showButtons();
  stops()
    .at(focused === -1 ? Infinity : focused)
    ?.focus({ preventScroll: true });
}

/** Follows the run that this page is about, until it is settled. */
class Follower {
  /** @type {Map<string, Told>} */
  #told = new Map();
  #failures = 0;
  /** @type {Promise<void>} */
  #last = Promise.resolve();
  /** @type {Promise<void> | null} */
  #next = null;
  #began;
  #clock;
  #url;

  /** @param {HTMLElement} card Where the progress stands. */
  constructor(card) {
    this.#url = card.dataset["follow"] ?? "";
    this.#began = performance.now() - Number(card.dataset["elapsed"]);
    this.#clock = setInterval(() => this.#tick(), 1_000);
    this.#listen();
  }

  #listen() {
    const source = new EventSource(this.#url);
    source.addEventListener("open", () => {
      this.#failures = 0;
    });
    source.addEventListener("step", (message) => this.#step(message));
    source.addEventListener("error", () => this.#broken(source));
    source.addEventListener("end", () => {
      source.close();
      void this.#end();
    });
  }

  // The browser connects again by itself, with Last-Event-ID, unless the answer wasn't a stream.
  /** @param {EventSource} source The connection that broke. */
  #broken(source) {
    this.#now("Connecting again…");
    if (source.readyState !== EventSource.CLOSED) return;
    this.#failures += 1;
    if (this.#failures > MOST_FAILURES)
      return this.#now("The connection is lost. Refresh the page.");
    setTimeout(() => this.#listen(), 500 * 2 ** this.#failures);
  }

  /** @param {MessageEvent<unknown>} message One event. */
  #step(message) {
    const event = parse(String(message.data));
    if (!isTold(event) || this.#told.has(message.lastEventId)) return;
    this.#told.set(message.lastEventId, event);
    this.#draw();
    if (event.news) void this.#refresh();
  }

  #draw() {
    const told = [...this.#told.values()];
    const [first, last] = [told.at(0), told.at(-1)];
    if (first === undefined || last === undefined) return;
    // What goes on matters while it does; what came of it stays.
    const kept = told.filter((event) => event.tone !== "busy" || event === last);
    const items = kept.map((event) => itemOf(event, Date.parse(event.at) - Date.parse(first.at)));
    document.querySelector("[data-events]")?.replaceChildren(...items);
    this.#now(last.text);
    this.#stage(Math.max(...told.map((event) => event.stage)));
  }

  /** @param {number} reached The stage that the run is in, from 1. */
  #stage(reached) {
    document.querySelector("[data-follow] progress")?.setAttribute("value", String(reached));
    for (const [index, stage] of document.querySelectorAll(".stages li").entries()) {
      stage.classList.toggle("reached", index < reached);
      stage.removeAttribute("aria-current");
      if (index + 1 === reached) stage.setAttribute("aria-current", "step");
    }
  }

  /** @param {string} words What happens now. */
  #now(words) {
    const place = document.querySelector("[data-now]");
    if (place !== null && place.textContent !== words) place.textContent = words;
  }

  #tick() {
    document
      .querySelector("[data-clock]")
      ?.replaceChildren(duration(performance.now() - this.#began));
  }

  // One at a time; whatever comes meanwhile asks for one more.
  #refresh() {
    this.#next ??= this.#after(this.#last);
    this.#last = this.#next;
    return this.#last;
  }

  /** @param {Promise<void>} before What has to be done first. */
  async #after(before) {
    await before;
    this.#next = null;
    await swap();
    this.#draw();
  }

  async #end() {
    clearInterval(this.#clock);
    // Without ?follow: there is nothing to follow any more.
    history.replaceState(null, "", location.pathname);
    await this.#refresh();
    announce(`${document.querySelector("h1")?.textContent ?? ""}. The run is settled.`);
  }
}

showButtons();
const card = document.querySelector("[data-follow]");
if (card instanceof HTMLElement) Object.freeze(new Follower(card));
