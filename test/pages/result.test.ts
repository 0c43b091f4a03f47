// The page of one run, in a real Chromium: what it says of each state, where it leads, what is printed.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IMPATIENT_WORKER } from "../support/impatient-worker.ts";
import { waitUntil } from "../support/wait.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";
import {
  CHROMIUM,
  openBrowser,
  openLoggedInPage,
  warnIfNoChromium,
  type LoggedInPage,
} from "./browser.ts";
import { pythonRequest } from "./python-requests.ts";
import { findViolations, openAllDetails } from "./violations.ts";

warnIfNoChromium("the page of one run");

const NARROW = { width: 360, height: 740 };
const CREATE = { method: "POST", path: "^/v1/responses$" };
/** A second check may follow the first at once. Two more are ten minutes apart. */
const REFETCH_DELAYS = "1 600 600";
/** How long a busy machine may take. */
const POLL = { timeout: 60_000 };
const UNKNOWN = `resp_unknown_${"0".repeat(40)}`;

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;
  let pages: Record<"captured" | "chained" | "failed" | "suspect" | "lost" | "gone", string>;

  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld({}, { REFETCH_DELAYS }, {}, { unlimited: true, main: IMPATIENT_WORKER }),
      openBrowser(),
    ]);
    pages = await createRuns(world);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  async function open(path: string, options?: Parameters<typeof openLoggedInPage>[2]) {
    const opened = await openLoggedInPage(browser, world, options);
    await opened.page.goto(world.url + path);
    return opened;
  }

  test("every kind of page passes axe in light and dark, at 360 px, and scrolls nowhere sideways", async () => {
    const found: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await openLoggedInPage(browser, world, {
        viewport: NARROW,
        colorScheme,
        bypassCSP: true,
      });
      for (const path of [...Object.values(pages), await startControlled(world)]) {
        await page.goto(world.url + path);
        await openAllDetails(page);
        found.push(...(await findViolations(page, colorScheme)).map((one) => `${path} ${one}`));
        if (await page.evaluate("document.documentElement.scrollWidth > 360")) found.push(path);
      }
      await page.context().close();
    }
    expect(found).toEqual([]);
  });

  test("a run that ended leads to the form: as it was, held, and with a control", async () => {
    const { page } = await open(pages.captured);
    const from = `/trigger?from=${toId(pages.captured)}`;
    expect(await hrefsOf(page, ["Run again", "Run held", "Run with control"])).toEqual([
      from,
      `${from}&hold=on`,
      `${from}&control=on`,
    ]);
    await page.goto(world.url + (await startControlled(world)));
    expect(await page.getByRole("link", { name: /^Run / }).count()).toBe(0);
    await page.context().close();
  });

  test("the page of a lost run copies the control's outputs, and leads to the same run held", async () => {
    const { page } = await open(pages.lost);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByText("Next time start it held").waitFor();
    await page.getByRole("button", { name: "Copy the control's outputs" }).click();
    await page.getByText("Copied").first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("mean 4.2\n");
    expect(await hrefsOf(page, ["Run held"])).toEqual([
      `/trigger?from=${toId(pages.lost)}&hold=on`,
    ]);
    expect(await page.getByRole("link", { name: "Run held" }).count()).toBe(1);
    expect(await page.getByText("X-Recorder-Hold").count()).toBe(0);
    await page.getByRole("link", { name: "Run held" }).click();
    await page.getByRole("heading", { name: "New run" }).waitFor();
    expect(await page.getByLabel("Input", { exact: true }).inputValue()).toContain(
      "Compute the mean",
    );
    expect(await page.getByLabel("Hold").isChecked()).toBe(true);
    await page.context().close();
  });

  test("a bug report is offered where outputs are lost or suspect, elsewhere a link to the page", async () => {
    const { page } = await open(pages.suspect);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy as bug report" }).click();
    await page.getByText("Copied").first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toContain(
      "## Code interpreter outputs of a background response: suspect",
    );
    await page.goto(world.url + pages.captured);
    expect(await page.getByRole("button", { name: "Copy as bug report" }).count()).toBe(0);
    expect(await page.getByText("Bug report").count()).toBe(0);
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByText("Copied").first().waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(world.url + pages.captured);
    await page.context().close();
  });

  test("while a known verdict is checked again the page says in one line when, and which check it is", async () => {
    const { page } = await open(pages.suspect);
    const line = page.getByRole("region", { name: "Progress" });
    const done = (await listChecks(page)).length;
    const which = `${done + 1} of ${done + 2}`;
    await expect
      .poll(() => line.innerText(), POLL)
      .toMatch(new RegExp(`^Checking again in \\d+:\\d\\d, ${which}$`));
    expect(await line.locator("progress").count()).toBe(0);
    await page.context().close();
  });

  test("without JavaScript the same line has the time of the next check", async () => {
    const { page } = await open(pages.suspect, { javaScriptEnabled: false });
    const text = await page.getByRole("region", { name: "Progress" }).innerText();
    expect(text).toMatch(/Checking again at \d\d:\d\d:\d\d UTC, \d of \d/);
    await page.context().close();
  });

  test("the numbers of checks in the live log are those of the timeline", async () => {
    const { page } = await open(pages.lost);
    const checks = await listChecks(page);
    expect(checks).toEqual(checks.map((_, index) => `Check ${index + 1}: fetched again`));
    const answer = await world.request(`${pages.lost}/events`);
    const log = await readUntil(answer, `${checks.at(-1)}: HTTP`);
    expect([...log.matchAll(/Check \d: fetched again(?=: HTTP)/g)].map(String)).toEqual(checks);
    await page.context().close();
  });

  test("a control that runs is shown on its page, and so are the run's flags", async () => {
    const { page } = await open(await startControlled(world));
    await page.getByText("control running").waitFor();
    expect(await readDetail(page, "Flags")).toBe("control, retention_days 7");
    await page.context().close();
  });

  test("the title and the icon of a tab say state and question, and change while the page follows", async () => {
    const { page, errors } = await open("/results");
    // Long enough for a busy machine to open the page before the run ends.
    await world.emulator.configure({ backgroundOutputs: "present", queueSeconds: 5 });
    const id = await world.trigger(pythonRequest("Count the waves", "print(4)"));
    await page.goto(`${world.url}/results/${id}`);
    expect(await page.title()).toBe("● queued · Count the waves");
    const icons = [await readIcon(page)];
    await expect.poll(() => page.title(), POLL).toBe("✓ Count the waves · captured");
    icons.push(await readIcon(page));
    await world.emulator.configure({ queueSeconds: 0.1 });
    expect(icons).toEqual(["/assets/icon-busy.svg", "/assets/icon-good.svg"]);
    for (const icon of ["good", "warn", "bad", "neutral", "busy"]) {
      const answer = await fetch(`${world.url}/assets/icon-${icon}.svg`);
      expect(answer.headers.get("content-type")).toBe("image/svg+xml");
      await answer.body?.cancel();
    }
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("paper has no navigation and no buttons, what is folded, and nothing cut off", async () => {
    const { page } = await open(pages.lost);
    await page.emulateMedia({ media: "print" });
    for (const hidden of ["nav", "button", ".actions", ".progress", "footer"]) {
      expect(await countVisible(page, hidden)).toBe(0);
    }
    expect(await countVisible(page, "#report")).toBe(1);
    expect(await page.evaluate(LIST_CUT_OFF)).toEqual([]);
    await page.context().close();
  });

  test("each call has an address of its own, and the previous response and OpenAI's log are links", async () => {
    const { page } = await open(pages.chained);
    await page.getByRole("link", { name: "Link to call 2" }).click();
    expect(page.url()).toBe(`${world.url}${pages.chained}#call-2`);
    expect(await page.locator(":target").innerText()).toBe("Code interpreter, call 2");
    const log = page.getByRole("link", { name: "OpenAI's log" });
    expect(await log.getAttribute("href")).toBe(
      `https://platform.openai.com/logs/${toId(pages.chained)}`,
    );
    expect(await log.getAttribute("rel")).toBe("noreferrer");
    expect(await readDetail(page, "Container")).toMatch(/^cntr_/);
    await page.getByRole("link", { name: toId(pages.captured) }).click();
    await page.waitForURL(`**${pages.captured}`);
    await page.context().close();
  });

  test("a record says until when it is kept, and that it is the only copy once OpenAI has none", async () => {
    const id = await world.trigger(pythonRequest("To be kept", "print(1)"));
    const { expires_at: expiresAt } = await world.waitUntilSettled(id);
    const { page } = await open(`/results/${id}`);
    const kept = page.locator("dd", { has: page.locator(`time[datetime="${expiresAt}"]`) });
    expect(await kept.innerText()).toMatch(/^\d+ [A-Z][a-z]{2} \d{4}$/);
    expect(await page.getByText("this is the only one").count()).toBe(0);
    await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
    await page.getByRole("button", { name: "Check again" }).click();
    await expect
      .poll(() => readDetail(page, "At OpenAI"), POLL)
      .toBe("OpenAI has deleted its copy: this is the only one");
    expect(await page.getByText("OpenAI keeps its copy").count()).toBe(0);
    await page.context().close();
  });

  test("the timeline gives the verdict when the checks are finished, not when the run is first stored", async () => {
    const { page } = await open(pages.lost);
    const entries = page.locator(".timeline li");
    expect(await entries.filter({ hasText: "First stored" }).innerText()).not.toContain("lost");
    await page.goto(`${world.url}${pages.captured}`);
    const finished = entries.filter({ hasText: "Stored, finished checking" });
    expect(await finished.innerText()).toContain("captured");
    await page.context().close();
  });

  test("the page of a failed run says how long it ran", async () => {
    const { page } = await open(pages.failed);
    expect(await readDetail(page, "Verdict")).toBe("no calls");
    expect(await readDetail(page, "Ran for")).toMatch(/^[\d.]+ s$/);
    expect(await page.title()).toBe("✗ Summarise the report · failed");
    await page.context().close();
  });

  test("an id that OpenAI does not know is asked for, without a button to cancel it", async () => {
    await world.request(`/results/${UNKNOWN}/refetch`, { method: "POST" });
    const { page } = await open(`/results/${UNKNOWN}`, { viewport: NARROW });
    await page.getByText("Not found so far.").waitFor();
    expect(await page.locator("h1").innerText()).toBe("Asking OpenAI…");
    expect(await page.getByRole("button", { name: /Cancel/ }).count()).toBe(0);
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(await page.evaluate(IS_ID_ON_ONE_LINE)).toBe(true);
    await page.context().close();
  });

  test("Delete… opens below its own button, which keeps its size", async () => {
    const { page } = await open(pages.captured);
    const summary = page.locator(".actions summary");
    const before = await summary.boundingBox();
    await summary.click();
    await page.getByRole("button", { name: "Delete permanently" }).waitFor();
    const button = await page.getByRole("button", { name: "Check again" }).boundingBox();
    const after = await summary.boundingBox();
    expect([after?.width, after?.height]).toEqual([before?.width, before?.height]);
    expect(button?.height).toBeCloseTo(before?.height ?? 0, 0);
    await page.context().close();
  });

  test("/login leads a browser with a session on, and takes another token from its fragment", async () => {
    const { page } = await open(`/login?next=${pages.failed}`);
    await page.waitForURL(`**${pages.failed}`);
    await page.goto(`${world.url}/login?next=${pages.captured}#token=${TOKEN}`);
    await page.waitForURL(`**${pages.captured}`);
    expect(page.url()).not.toContain("token");
    await page.context().close();
    const noScript: LoggedInPage = await open(`/login?next=${pages.failed}`, {
      javaScriptEnabled: false,
    });
    await noScript.page.getByRole("link", { name: "go on" }).click();
    await noScript.page.waitForURL(`**${pages.failed}`);
    await noScript.page.context().close();
  });
});

async function createRuns(world: World) {
  const { emulator } = world;
  await emulator.configure({ backgroundOutputs: "present" });
  const captured = await world.trigger(pythonRequest("Squares", "print(1)", "print(4)"));
  const failed = await world.trigger({ input: "Summarise the report\nemulator: fail" });
  for (const id of [captured, failed]) await world.waitUntilSettled(id);
  const cubes = pythonRequest("And the cubes?", "print(1)", "print(8)");
  const chained = await world.trigger({ previous_response_id: captured, ...cubes });
  await world.waitUntilSettled(chained);
  const gone = await createGoneRun(world);
  await emulator.configure({ backgroundOutputs: "empty" });
  const suspect = await world.trigger(pythonRequest("Suspect", "print(1)"));
  const lost = await world.trigger({
    control: true,
    ...pythonRequest("Compute the mean", "print('mean 4.2')", "x = 1"),
  });
  for (const id of [suspect, lost]) await waitForPause(world, id);
  return {
    captured: `/results/${captured}`,
    chained: `/results/${chained}`,
    failed: `/results/${failed}`,
    suspect: `/results/${suspect}`,
    lost: `/results/${lost}`,
    gone: `/results/${gone}`,
  };
}

/** Starts a held run that breaks after its first call, and that OpenAI has no more. */
async function createGoneRun(world: World): Promise<string> {
  const retrieve = { method: "GET", path: "^/v1/responses/[^/]+$" };
  await world.emulator.addFault({ ...CREATE, kind: "cut", after_events: 14 });
  await world.emulator.addFault({ ...retrieve, kind: "status", status: 404, times: -1 });
  const id = await world.trigger({
    hold: true,
    ...pythonRequest("Broken emulator: run 600 seconds", "print(1)"),
  });
  await world.waitUntilSettled(id);
  await world.emulator.clearFaults();
  return id;
}

/** Starts a run in flight whose control runs, too; gives its page's path. */
async function startControlled(world: World): Promise<string> {
  const { input, tools } = pythonRequest("Controlled emulator: run 600 seconds", "print(1)");
  return `/results/${await world.trigger({ control: true, retention_days: 7, input, tools })}`;
}

/** Waits until the next check is minutes away, and the control has ended. */
async function waitForPause(world: World, id: string): Promise<void> {
  await waitUntil(async () => {
    const html = await (
      await world.request(`/results/${id}`, { headers: { accept: "text/html" } })
    ).text();
    return /data-countdown-ms="\d{6}"/.test(html) && !html.includes("control running");
  });
}

async function readUntil(answer: Response, word: string): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(word)) break;
  }
  return text;
}

async function listChecks(page: Page): Promise<string[]> {
  const rows = await page.locator(".timeline strong").allInnerTexts();
  return rows.filter((row) => row.startsWith("Check"));
}

async function hrefsOf(page: Page, names: string[]): Promise<(string | null)[]> {
  return Promise.all(
    names.map((name) => page.getByRole("link", { name, exact: true }).getAttribute("href")),
  );
}

async function readDetail(page: Page, name: string): Promise<string> {
  const term = page.locator("dt", { hasText: new RegExp(`^${name}$`) });
  return page.locator(".properties > div", { has: term }).locator("dd").innerText();
}

async function readIcon(page: Page): Promise<string | null> {
  return page.locator("link[rel=icon]").getAttribute("href");
}

async function countVisible(page: Page, selector: string): Promise<number> {
  const found = await page.locator(selector).all();
  const visible = await Promise.all(found.map((element) => element.isVisible()));
  return visible.filter(Boolean).length;
}

const IS_ID_ON_ONE_LINE = `(() => {
  const line = document.querySelector(".breadcrumbs");
  return line.clientHeight < 2 * parseFloat(getComputedStyle(line).lineHeight);
})()`;

const LIST_CUT_OFF = `[...document.querySelectorAll("main pre, main .id, main code")]
  .filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
    clientWidth > 0 && (scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1))
  .map((element) => element.outerHTML)`;

function toId(path: string): string {
  return path.split("/").at(-1) ?? "";
}
