// The status of a run in flight, on its page, in a real Chromium.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IMPATIENT_WORKER } from "../support/impatient-worker.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";

warnIfNoChromium("the status of a run in flight");

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;
  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld({ webhookUrl: null }, {}, {}, { main: IMPATIENT_WORKER }),
      openBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  const input = "emulator: run 60 seconds";
  const readNote = (page: Page) => page.locator("[data-status]").innerText();
  const readTime = (page: Page) =>
    page.locator("[data-status] time").first().getAttribute("datetime").then(String);

  test("the page of a run in flight says its status, when OpenAI said so, and keeps both up to date", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    const id = await world.trigger({ input });
    await page.goto(`${world.url}/results/${id}`);
    expect(await readNote(page)).toMatch(
      /^queued, as OpenAI said at [\d-]{10} [\d:]{8} \(\d+ s ago\)$/,
    );
    const note = await waitFor(
      () => readNote(page),
      (text) => text.startsWith("in progress, as OpenAI said at "),
    );
    expect(note).toMatch(/ at [\d-]{10} [\d:]{8} \(\d+ s ago\)$/);
    const first = await readTime(page);
    await waitFor(
      () => readTime(page),
      (time) => time > first,
    );
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("the page of a held run says no such thing: its connection shows what happens", async () => {
    const { page } = await openLoggedInPage(browser, world);
    const id = await world.trigger({ input, hold: true });
    await page.goto(`${world.url}/results/${id}`);
    await page.locator("[data-follow]").waitFor();
    expect(await page.locator("[data-status]").count()).toBe(0);
    await page.context().close();
  });
});
