// What a person sees from logging in to logging out, in a real Chromium.
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, enter, logInByForm, openBrowser, sayLeftOut } from "./browser.ts";
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

  test("a token that is not the token stays outside, and so does who has logged out", async () => {
    const page = await browser.newPage();
    await page.goto(`${world.url}/results`);
    await page.getByLabel("Access token").fill("not the token at all");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("That is not the access token.").waitFor();
    await logInByForm(page, world);
    await page.getByRole("heading", { name: "Results" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.goto(`${world.url}/results`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.close();
  });

  test("what OpenAI refuses stands beside its field, and what was typed stays", async () => {
    const { page } = await enter(browser, world);
    await page.goto(`${world.url}/trigger`);
    await page.getByLabel("Input").fill("It's mine");
    await page.getByLabel("Advanced, JSON").fill('{"metadata": 1}');
    expect(await page.locator("#curl").textContent()).toContain(String.raw`"It'\''s mine"`);
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#advanced-wrong").waitFor();
    expect(await page.getByLabel("Input").inputValue()).toBe("It's mine");
    expect(await page.getByLabel("Advanced, JSON").inputValue()).toBe('{"metadata": 1}');
    await page.getByLabel("Advanced, JSON").fill("{not json");
    await page.getByRole("button", { name: "Start" }).click();
    expect(await page.locator("#advanced-wrong").textContent()).toContain("one JSON object");
    await page.context().close();
  });

  test("a held run is started from the form, and its page says how its connection went", async () => {
    const { page, complaints } = await enter(browser, world);
    await page.goto(`${world.url}/trigger`);
    await page.getByLabel("Input").fill(asking("emulator: run 8 seconds", 'print("kept")').input);
    await page.getByLabel("Hold").check();
    await page.getByLabel("Control").check();
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#hold-wrong").waitFor();
    expect(await page.locator("#curl").textContent()).toContain('"hold": true');
    expect(await page.getByLabel("Hold").isChecked()).toBe(true);
    await page.getByLabel("Control").uncheck();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("no webhook will come").waitFor();
    await page.getByRole("button", { name: "Cancel: close the connection" }).waitFor();
    await page.getByText("Holding the connection").first().waitFor();
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    await page.getByText("Held to its end").first().waitFor();
    await page.getByText("Look 1: held").waitFor();
    await page.getByText("kept", { exact: true }).waitFor();
    expect(complaints.filter((line) => !line.includes("400"))).toEqual([]);
    await page.context().close();
  });

  test("a held run that breaks says where, and what is known after", async () => {
    await world.emulator.configure({ onDisconnect: "cancel" });
    await world.emulator.addFault({ ...CREATE, kind: "cut", after_events: 14 });
    const id = await world.trigger({ hold: true, ...asking("Broken", "print('one')") });
    const { page } = await enter(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("closed, at 13 response.output_item.done").waitFor();
    await page.getByText("OpenAI cancelled the run with it").waitFor();
    await page.getByText("one", { exact: true }).waitFor();
    expect((await world.waitUntilSettled(id)).held).toEqual({
      broke_at: "13 response.output_item.done",
    });
    await page.context().close();
  });

  test("cancelling a held run closes its connection, and its page says what is known", async () => {
    await world.emulator.configure({ onDisconnect: "complete" });
    const id = await world.trigger({ hold: true, input: "emulator: run 600 seconds" });
    const { page } = await enter(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    const cancel = page.getByRole("button", { name: "Cancel: close the connection" });
    await cancel.click();
    await page.getByText("The connection broke, or was closed").waitFor();
    expect(await cancel.count()).toBe(0);
    await page.getByText("OpenAI may end the run with it, or finish it").waitFor();
    await page.context().close();
  });

  test("a connection that drops is taken up again where it was", async () => {
    await world.emulator.configure({ queueSeconds: 3 });
    const id = await world.trigger(asking("Slow", 'print("late")'));
    const { page } = await enter(browser, world);
    let connections = 0;
    await page.route("**/events", async (route) => {
      connections += 1;
      if (connections > 1) return route.continue();
      return route.fulfill({ contentType: "text/event-stream", body: DROPPED });
    });
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("Only this, and then silence").first().waitFor();
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    expect(connections).toBe(2);
    await page.context().close();
  });

  test("a settled run is looked at again, another deleted for good", async () => {
    await world.emulator.configure({ queueSeconds: 0.1, runSeconds: 0.1 });
    const kept = await world.trigger(asking("To be kept", 'print("here")'));
    const gone = await world.trigger(asking("To be deleted", 'print("gone")'));
    await Promise.all([world.waitUntilSettled(kept), world.waitUntilSettled(gone)]);
    const { page } = await enter(browser, world);
    await page.goto(`${world.url}/results/${kept}`);
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("Look 2: refetch").waitFor();
    await page.waitForURL(`**/results/${kept}`);
    await page.goto(`${world.url}/results/${gone}`);
    await page.getByText("Delete…").click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.waitForURL("**/results");
    await page.goto(`${world.url}/results/${gone}`);
    expect(await page.locator("h1").textContent()).toBe("Not recorded, or expired");
    await page.context().close();
  });
});

const CREATE = { method: "POST", path: "^/v1/responses$" };

const WRITING = `with open("/mnt/data/sine.csv", "w") as file:
    file.write("x,y\\n0,0\\n")`;

const WIDTH = `(() => {
  const image = document.querySelector("main img");
  image.scrollIntoView();
  return image.naturalWidth;
})()`;

const DROPPED = `retry: 100
id: 1
event: step
data: {"at":"2026-01-01T00:00:00.000Z","stage":1,"tone":"calm","text":"Only this, and then silence","news":false}

`;

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
