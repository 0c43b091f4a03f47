// One journey through the pages, from logging in to finding a run in the list, in a real Chromium.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, enter, openBrowser, sayLeftOut } from "./browser.ts";
import { asking, DRAWING } from "./input.ts";

sayLeftOut("the journey through the pages");

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

  test("a run is started from the form, followed to its verdict, found in the list", async () => {
    const { page, complaints } = await enter(browser, world);
    expect(page.url()).not.toContain("token");
    await page.getByText("Nothing is recorded yet").waitFor();
    await trigger(page);
    await page.getByText("Queued at OpenAI").waitFor();
    await page.getByText("Waiting for OpenAI's webhook").first().waitFor();
    await stamp(page);
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    expect(await isStamped(page)).toBe(true);
    await seesOutputs(page);
    await filters(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

const WRITING = `with open("/mnt/data/sine.csv", "w") as file:
    file.write("x,y\\n0,0\\n")`;

const WIDTH = `(() => {
  const image = document.querySelector("main img");
  image.scrollIntoView();
  return image.naturalWidth;
})()`;

async function trigger(page: Page): Promise<void> {
  const { input } = asking("Draw a sine", 'print("drawn with care")', DRAWING, WRITING);
  await page.getByRole("link", { name: "Start the first one" }).click();
  await page.getByLabel("Input").fill(input);
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL("**/results/resp_*");
}

// A reload would lose it.
async function stamp(page: Page): Promise<void> {
  await page.evaluate("document.documentElement.dataset.stamp = 'here'");
}

async function isStamped(page: Page): Promise<boolean> {
  return (await page.locator("html").getAttribute("data-stamp")) === "here";
}

async function seesOutputs(page: Page): Promise<void> {
  await page.getByText("drawn with care", { exact: true }).waitFor();
  // The page may be brought up to date meanwhile: what was found a moment ago may be gone.
  await expect.poll(() => page.evaluate(WIDTH)).toBe(480);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "sine.csv" }).click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toBe("x,y\n0,0\n");
}

async function filters(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Results" }).first().click();
  await page.getByRole("link", { name: "Draw a sine" }).waitFor();
  await page.getByLabel("verdict").selectOption("lost");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByText("Nothing on this page fits the filter.").waitFor();
  await page.getByLabel("verdict").selectOption("captured");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("link", { name: "Draw a sine" }).waitFor();
}
