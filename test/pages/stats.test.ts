// The pages of the statistics and of the contract, in a real Chromium. access.test.ts checks their accessibility and their width.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";

warnIfNoChromium("the pages of the statistics and of the contract");

const VERDICTS = ["captured", "captured", "lost", "suspect"] as const;

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;
  beforeAll(async () => {
    [world, browser] = await Promise.all([startWorld(), openBrowser()]);
    const catalog = await getCatalog(world);
    for (let n = 0; n < 12; n += 1) {
      const verdict = VERDICTS[n % VERDICTS.length] ?? "captured";
      const row = { id: `resp_${n}`, verdict, first_line: `Question ${n}` };
      await catalog.upsert(createEntry(row, { startedAtMs: Date.now() - n }), 1);
    }
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  test("the navigation leads to the statistics, and a number of lost runs to their list", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    await page.getByRole("link", { name: "Stats" }).click();
    await page.getByRole("heading", { name: "Stats" }).waitFor();
    expect(await page.getByRole("img", { name: "Runs by day" }).count()).toBe(1);
    const day = page.getByRole("table", { name: "Days with runs" }).getByRole("row").nth(1);
    expect(await day.getByRole("cell").allTextContents()).toEqual(["12", "3", "3", "0"]);
    await day.getByRole("link", { name: "3" }).first().click();
    await page.waitForURL("**/results?*verdict=lost*");
    expect(await page.getByText("Question 2").count()).toBe(1);
    expect(await page.getByText("Question 1", { exact: true }).count()).toBe(0);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test.each(["light", "dark"] as const)(
    "the bars of the chart are as high as their numbers, and of three colours in %s",
    async (colorScheme) => {
      const { page } = await openLoggedInPage(browser, world, { colorScheme });
      await page.goto(`${world.url}/stats?days=1`);
      const bars = await page.locator(".day-chart rect").evaluateAll((rects) =>
        rects.map((rect) => ({
          name: rect.getAttribute("class"),
          height: Number(rect.getAttribute("height")),
          fill: getComputedStyle(rect).fill,
        })),
      );
      expect(bars.map(({ name, height }) => [name, height / 160])).toEqual([
        ["lost", 0.25],
        ["suspect", 0.25],
        ["other", 0.5],
      ]);
      expect(new Set(bars.map(({ fill }) => fill)).size).toBe(3);
      await page.context().close();
    },
  );

  test("every page links to the contract, whose links lead to its operations and its shapes", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.getByRole("contentinfo").getByRole("link", { name: "API reference" }).click();
    await page.waitForURL("**/openapi");
    const targets = await page
      .locator('main a[href^="#"]')
      .evaluateAll((links) =>
        links.map((link) => [link.getAttribute("href"), link.getAttribute("href")?.slice(1)]),
      );
    const ids = await page.locator("main [id]").evaluateAll((found) => found.map(({ id }) => id));
    expect(targets.filter(([, id]) => !ids.includes(id ?? ""))).toEqual([]);
    expect(ids).toEqual(expect.arrayContaining(["listRuns", "followRun", "shape-RunStep"]));
    await page.context().close();
  });

  test("GET /openapi shows a parameter with its rule and meaning, and no backtick outside of code", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/openapi#getStats`);
    const row = page.locator("section[aria-labelledby=getStats] tbody tr");
    expect(await row.locator("th, td").allTextContents()).toEqual([
      "days",
      "query",
      "integer from 1 to 366, default 30",
      "How many days, today included. Days are UTC's",
    ]);
    const text = (await page.locator("main").textContent()) ?? "";
    const shapes = (await page.locator("main pre").allTextContents()).join("");
    expect(text.split("`").length).toBe(shapes.split("`").length);
    expect(text).not.toContain("What is wrong, and what to do.");
    await page.context().close();
  });
});
