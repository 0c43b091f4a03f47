// The pages of somebody who logged in with READ_TOKEN, in a real Chromium.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { READ_TOKEN, startWorld, TOKEN, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the pages of a reader");

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;
  let paths: string[];

  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld({ backgroundOutputs: "present" }, {}, { READ_TOKEN }, { unlimited: true }),
      openBrowser(),
    ]);
    const settled = await world.trigger(pythonRequest("Settled", "print('one')"));
    await world.waitUntilSettled(settled);
    const inFlight = await world.trigger({ input: "emulator: run 600 seconds" });
    const held = await world.trigger({ hold: true, input: "emulator: run 600 seconds" });
    const runs = [settled, inFlight, held, "resp_unknown"].map((id) => `/results/${id}`);
    paths = ["/results", "/results?verdict=lost", ...runs];
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  /** Counts what leads to a change: forms but the log-out's and those that GET, and links to the form. */
  async function countActions(token: string): Promise<number[]> {
    const { page } = await openLoggedInPage(browser, world, {}, token);
    const counts: number[] = [];
    for (const path of paths) {
      await page.goto(`${world.url}${path}`);
      const forms = page.locator('form[method="post"]:not([action="/logout"])');
      const links = page.locator('a[href^="/trigger"]');
      counts.push((await forms.count()) + (await links.count()));
    }
    await page.context().close();
    return counts;
  }

  test("a log-in with READ_TOKEN shows no page with a button or a link that starts, changes or deletes", async () => {
    expect(await countActions(READ_TOKEN)).toEqual(paths.map(() => 0));
    for (const count of await countActions(TOKEN)) expect(count).toBeGreaterThan(0);
  });

  test("a log-in with READ_TOKEN shows outputs, follows a run, and logs out", async () => {
    const { page, errors } = await openLoggedInPage(browser, world, {}, READ_TOKEN);
    await page.goto(`${world.url}${paths[2] ?? ""}`);
    await page.getByText("one", { exact: true }).waitFor();
    await page.goto(`${world.url}${paths[3] ?? ""}`);
    await page.locator("[data-events] li").first().waitFor();
    expect(errors).toEqual([]);
    await page.locator('footer a[href="/health"]').click();
    await page.getByRole("heading", { name: "Checks" }).waitFor();
    const status = page.getByRole("main");
    expect(await status.textContent()).toContain("OpenAI accepts the key.");
    expect(await status.textContent()).toMatch(/The oldest run began: [\d-]{10} [\d:]{8}/);
    expect(await status.locator('li a[href^="/results/resp_"]').count()).toBe(1);
    await page.goto(`${world.url}/trigger`);
    await page.getByRole("heading", { name: "This token only reads" }).waitFor();
    await page.getByRole("link", { name: "Log in with ACCESS_TOKEN" }).click();
    await page.getByText("This browser is logged in, and only reads").waitFor();
    await page.goto(`${world.url}/results`);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.goto(`${world.url}/health`);
    await page.getByText("READ_TOKEN").waitFor();
    expect(await page.getByRole("heading", { name: "Checks" }).count()).toBe(0);
    await page.getByRole("link", { name: "Log in" }).click();
    await page.getByLabel("Access token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Checks" }).waitFor();
    await page.context().close();
  });
});
