// The list as people work in it: search, filters, rows that go on by themselves, narrow screens.
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { findViolations, openAllDetails } from "./violations.ts";
import { pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the list");

const VERDICTS = ["captured", "lost", "captured", "silent", "no_calls"] as const;
const RUNS = Array.from(
  { length: 30 },
  (_, n) =>
    ({
      id: `resp_listed${String(n).padStart(40, "0")}`,
      verdict: VERDICTS[n % VERDICTS.length] ?? "captured",
      status: n % VERDICTS.length === 4 ? "failed" : "completed",
      model: n % 2 === 0 ? "gpt-even" : "gpt-odd",
      first_line: `Question ${n}: what are the first ten primes, and what is their sum?`,
      held: n % 3 === 0,
      started_by: n % 2 === 0 ? "trigger" : "v1",
      metadata: { team: n % 2 === 0 ? "red" : "blue" },
    }) as const,
);
const AGE_MS = 3_600_000;

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;

  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld({ runSeconds: 600, backgroundOutputs: "present" }, {}, {}, { unlimited: true }),
      openBrowser(),
    ]);
    const catalog = await getCatalog(world);
    for (const [n, run] of RUNS.entries()) {
      const startedAtMs = Date.now() - AGE_MS - n * 1000;
      await catalog.upsert(createEntry(run, { startedAtMs, text: `${run.first_line} n${n}n` }), 1);
    }
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  test("a search shows its runs and how many, and leaves empty fields out of the URL", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    await page.getByRole("searchbox").fill("n7n");
    await page.getByLabel("Search").press("Enter");
    await page.waitForURL(`${world.url}/results?q=n7n`);
    expect(await listTitles(page)).toEqual([RUNS[7]?.first_line]);
    expect(await page.locator("#total").textContent()).toBe("1 run");
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("filters are combined by form and by chips, shown, and removed one by one", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.getByRole("link", { name: "captured 12" }).click();
    await page.getByText("More filters").click();
    await page.getByLabel("Model").fill("gpt-odd");
    await page.getByLabel("Metadata").fill("team=blue");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("6 runs", { exact: true }).waitFor();
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
      verdict: "captured",
      model: "gpt-odd",
      "metadata[team]": "blue",
    });
    await page.getByRole("link", { name: "Remove the filter Model: gpt-odd" }).click();
    await page.getByRole("link", { name: "Remove the filter team = blue" }).click();
    await page.getByText("12 runs", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Clear all" }).click();
    await page.getByText("30 runs", { exact: true }).waitFor();
    await page.context().close();
  });

  test.each([
    ["lost", "verdict=lost", ({ verdict }) => verdict === "lost"],
    ["failed", "status=failed", ({ status }) => status === "failed"],
    ["held", "held=true", ({ held }) => held],
    ["gpt-odd", "model=gpt-odd", ({ model }) => model === "gpt-odd"],
    ["team=red", "metadata%5Bteam%5D=red", ({ metadata }) => metadata.team === "red"],
    [/^by /, "started_by=trigger", (run) => run.started_by === "trigger"],
  ] satisfies [string | RegExp, string, (run: (typeof RUNS)[number]) => boolean][])(
    "a click on %s in a row shows only such runs",
    async (name, query, matches) => {
      const { page } = await openLoggedInPage(browser, world);
      const rows = page.getByRole("row");
      await rows
        .getByRole("link", { name, exact: typeof name === "string" })
        .first()
        .click();
      await page.waitForURL(`${world.url}/results?${query}`);
      const titles = RUNS.filter(matches).map((run) => run.first_line);
      expect((await listTitles(page)).filter(isQuestion)).toEqual(titles);
      await page.context().close();
    },
  );

  test("an id in the search leads to its run, and a click beside the chips of a row, too", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    const id = await world.trigger(pythonRequest("Jump", "print(1)"));
    await page.getByRole("searchbox").fill(` ${id} `);
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL(`${world.url}/results/${id}`);
    await page.goto(`${world.url}/results`);
    await page.locator(`tr[data-id="${id}"] .ran`).click({ force: true });
    await page.waitForURL(`${world.url}/results/${id}`);
    expect(errors).toEqual([]);
    await page.context().close();
    await endRuns(world, [id]);
  });

  test("the printed list has its runs and verdicts, and none of the form and the buttons", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("#filter").isVisible()).toBe(false);
    expect(await page.locator("main a.button:visible").count()).toBe(0);
    expect(await page.getByRole("navigation", { name: "Verdicts" }).isVisible()).toBe(true);
    expect(await page.locator(".run-link:visible").count()).toBeGreaterThan(0);
    await page.context().close();
  });

  test("a filter that no run matches is named, and can be cleared", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results?verdict=gone&model=gpt-odd`);
    await page.getByText("No run matches Verdict: gone, Model: gpt-odd.").waitFor();
    await page.getByRole("link", { name: "Clear all filters" }).click();
    await page.waitForURL(`${world.url}/results`);
    expect(await listTitles(page)).not.toEqual([]);
    await page.context().close();
  });

  test("a row follows its run to the verdict, new runs are announced, and the focus stays", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    const id = await world.trigger(pythonRequest("Watched", "print(1)"));
    await page.goto(`${world.url}/results?started_by=trigger`);
    await markDocument(page);
    const row = page.locator(`tr[data-id="${id}"]`);
    await row.getByRole("link", { name: "pending" }).waitFor();
    await row.locator("a.run-link").focus();
    const next = await world.trigger(pythonRequest("Next", "print(1)"));
    await page.getByRole("button", { name: "Show 1 new run" }).waitFor();
    await endRuns(world, [id]);
    await row.getByRole("link", { name: "cancelled" }).waitFor();
    expect(await page.locator(`tr[data-id="${next}"]`).count()).toBe(0);
    expect(await row.locator("a.run-link:focus").count()).toBe(1);
    await page.getByRole("button", { name: "Show 1 new run" }).click();
    await page.locator(`tr[data-id="${next}"] a.run-link:focus`).waitFor();
    expect(await page.locator("#new-runs").isVisible()).toBe(false);
    expect(await page.locator("html").getAttribute("data-marked")).toBe("yes");
    expect(errors).toEqual([]);
    await page.context().close();
    await endRuns(world, [next]);
  });

  test("a row leaves the list when its filter no longer lets it through", async () => {
    const { page } = await openLoggedInPage(browser, world);
    const ids = [await start("first"), await start("second")];
    await page.goto(`${world.url}/results?verdict=pending`);
    await page.locator(`tr[data-id="${ids[0]}"]`).waitFor();
    await endRuns(world, ids.slice(0, 1));
    await page.locator(`tr[data-id="${ids[0]}"]`).waitFor({ state: "detached" });
    expect(await page.locator(`tr[data-id="${ids[1]}"]`).count()).toBe(1);
    await page.context().close();
    await endRuns(world, ids.slice(1));
  });

  test("a list without a run in flight asks the recorder nothing, and none asks OpenAI", async () => {
    const { page } = await openLoggedInPage(browser, world);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.clock.install();
    await page.goto(`${world.url}/results?verdict=lost`);
    await page.clock.runFor(120_000);
    expect(asked.filter((url) => url.includes("/results"))).toHaveLength(1);
    const id = await start("asked");
    await world.emulator.clearRequests();
    await page.goto(`${world.url}/results?verdict=pending`);
    asked.length = 0;
    await page.clock.runFor(120_000);
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    expect(await world.emulator.listRequestsButFiles()).toEqual([]);
    await page.context().close();
    await endRuns(world, [id]);
  });

  test("without JavaScript search, filters and the pair of metadata work", async () => {
    const { page } = await openLoggedInPage(browser, world, { javaScriptEnabled: false });
    await page.getByText("More filters").click();
    await page.getByRole("searchbox").fill("question");
    await page.getByLabel("Metadata").fill("team=red");
    await page.getByLabel("Held").selectOption("yes");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByText("5 runs", { exact: true }).waitFor();
    expect(await page.locator("time").first().textContent()).toMatch(/ ago$/);
    expect(await page.locator("time").first().getAttribute("title")).toMatch(/ UTC$/);
    await page.context().close();
  });

  test("times are shown in the reader's time zone, with UTC in their titles, on every page", async () => {
    const { page } = await openLoggedInPage(browser, world, { timezoneId: "Asia/Tokyo" });
    const age = await readTime(page.locator(`tr[data-id="${RUNS[0]?.id}"] time`));
    expect(age.title).toBe(`${age.tokyo} (${age.utc})`);
    const id = await start("timed");
    await page.goto(`${world.url}/results/${id}`);
    const times = await page.locator("main time").all();
    const read = await Promise.all(times.map(readTime));
    const shown = read.find(({ text, tokyo }) => text === tokyo);
    expect(shown?.title).toBe(shown?.utc);
    expect(read.filter(({ text }) => text.includes("UTC"))).toEqual([]);
    await page.context().close();
    await endRuns(world, [id]);
  });

  test.each(["light", "dark"] as const)(
    "axe finds no violation in the list in %s",
    async (colorScheme) => {
      const viewports = [
        { width: 1280, height: 900 },
        { width: 360, height: 740 },
      ];
      for (const viewport of viewports) {
        const options = { colorScheme, viewport, bypassCSP: true };
        const { page } = await openLoggedInPage(browser, world, options);
        const found: string[] = [];
        for (const path of [
          "/results",
          "/results?q=question&verdict=lost&held=true",
          "/results?model=x",
        ]) {
          await page.goto(world.url + path);
          await openAllDetails(page);
          found.push(...(await findViolations(page, colorScheme)));
        }
        expect(found).toEqual([]);
        await page.context().close();
      }
    },
  );

  test("a phone shows six rows on the first screen, and nothing of the list scrolls sideways", async () => {
    const viewport = { width: 360, height: 740 };
    const { page } = await openLoggedInPage(browser, world, { viewport });
    const sixth = await page.locator("tbody tr").nth(5).boundingBox();
    expect((sixth?.y ?? 0) + (sixth?.height ?? Infinity)).toBeLessThan(740);
    const long = "x".repeat(200);
    for (const query of [
      "",
      "verdict=abc",
      `${long}=1`,
      `q=${long}&model=${long}&metadata[${long}]=1`,
    ]) {
      await page.goto(`${world.url}/results?${query}`);
      await openAllDetails(page);
      expect([query, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([
        query,
        360,
      ]);
    }
    await page.context().close();
  });

  test("the table keeps its headings and cells for screen readers on a phone", async () => {
    const { page } = await openLoggedInPage(browser, world, {
      viewport: { width: 360, height: 740 },
    });
    await page.goto(`${world.url}/results?q=n7n`);
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const roles = nodes.filter(({ ignored }) => !ignored).map(({ role }) => String(role?.value));
    const count = (role: string) => roles.filter((one) => one === role).length;
    const counts = [count("table"), count("row"), count("columnheader"), count("cell")];
    expect(counts).toEqual([1, 2, 4, 4]);
    await page.context().close();
  });

  async function start(name: string): Promise<string> {
    return world.trigger(pythonRequest(name, "print(1)"));
  }
});

/** Whether a title is one of RUNS, and not of a run that a test has started. */
function isQuestion(title: string): boolean {
  return title.startsWith("Question");
}

/** What a time's element shows, and what it stands for. */
async function readTime(time: Locator) {
  const at = Date.parse((await time.getAttribute("datetime")) ?? "");
  return {
    text: (await time.textContent()) ?? "",
    title: await time.getAttribute("title"),
    utc: `${toShown(new Date(at).toISOString())} UTC`,
    tokyo: toShown(new Date(at + 9 * 3_600_000).toISOString()),
  };
}

/** An ISO 8601 time as the pages show times. */
function toShown(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

async function listTitles(page: Page): Promise<string[]> {
  return page.locator("a.run-link").allTextContents();
}

// A reload would remove the mark.
async function markDocument(page: Page): Promise<void> {
  await page.evaluate("document.documentElement.dataset.marked = 'yes'");
}

/** Ends runs, and waits until they are recorded. */
async function endRuns(world: World, ids: string[]): Promise<void> {
  for (const id of ids) {
    await world.request(`/results/${id}/cancel`, { method: "POST" });
    await world.waitUntilSettled(id);
  }
}
