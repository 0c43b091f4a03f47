// One journey through the pages, from logging in to finding a run in the list, in a real Chromium.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { DRAW_IMAGE, pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the journey through the pages");

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;

  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld(
        { backgroundOutputs: "present", queueSeconds: 1, runSeconds: 1 },
        {},
        {},
        { unlimited: true },
      ),
      openBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  test("the form starts a run, its page follows it to the verdict, the list finds it", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    expect(page.url()).not.toContain("token");
    await page.getByText("Nothing is recorded yet").waitFor();
    await startByForm(page);
    await page.getByText("Queued at OpenAI").waitFor();
    await page.getByText("Waiting for OpenAI's webhook").first().waitFor();
    await markDocument(page);
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    expect(await isDocumentMarked(page)).toBe(true);
    await expectOutputs(page);
    await expectFilter(page);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

const WRITE_FILE = `with open("/mnt/data/sine.csv", "w") as file:
    file.write("x,y\\n0,0\\n")`;

const READ_IMAGE_WIDTH = `(() => {
  const image = document.querySelector("main img");
  image.scrollIntoView();
  return image.naturalWidth;
})()`;

async function startByForm(page: Page): Promise<void> {
  const { input } = pythonRequest(
    "Draw a sine",
    'print("drawn with care")',
    DRAW_IMAGE,
    WRITE_FILE,
  );
  await page.getByRole("link", { name: "Start the first run" }).click();
  await page.getByLabel("Input").fill(input);
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL("**/results/resp_*");
}

// A reload would remove the mark.
async function markDocument(page: Page): Promise<void> {
  await page.evaluate("document.documentElement.dataset.marked = 'yes'");
}

async function isDocumentMarked(page: Page): Promise<boolean> {
  return (await page.locator("html").getAttribute("data-marked")) === "yes";
}

async function expectOutputs(page: Page): Promise<void> {
  await page.getByText("drawn with care", { exact: true }).waitFor();
  // The script may replace the main part at any time, so an element that was just found can be gone.
  await expect.poll(() => page.evaluate(READ_IMAGE_WIDTH), { timeout: 30_000 }).toBe(480);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "sine.csv" }).first().click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toBe("x,y\n0,0\n");
}

async function expectFilter(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Results" }).first().click();
  await page.getByRole("link", { name: "captured 1" }).click();
  await page.getByRole("link", { name: "Draw a sine" }).waitFor();
  await page.getByRole("searchbox").fill("nonesuch");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("No run matches Verdict: captured, Search: nonesuch.").waitFor();
  await page.getByRole("searchbox").fill("drawn with care");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "Draw a sine" }).waitFor();
}
