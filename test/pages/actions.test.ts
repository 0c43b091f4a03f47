// What a person can do on the pages, and what they say when something fails, in a real Chromium.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, enter, logInByForm, openBrowser, sayLeftOut } from "./browser.ts";
import { asking } from "./input.ts";

sayLeftOut("the actions on the pages");

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
    await world.emulate({ onDisconnect: "cancel" });
    await world.fault({ ...CREATE, kind: "cut", after_events: 14 });
    const id = await world.trigger({ hold: true, ...asking("Broken", "print('one')") });
    const { page } = await enter(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("closed, at 13 response.output_item.done").waitFor();
    await page.getByText("OpenAI cancelled the run with it").waitFor();
    await page.getByText("one", { exact: true }).waitFor();
    expect((await world.settled(id)).held).toEqual({ broke_at: "13 response.output_item.done" });
    await page.context().close();
  });

  test("cancelling a held run closes its connection, and its page says what is known", async () => {
    await world.emulate({ onDisconnect: "complete" });
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
    await world.emulate({ queueSeconds: 3 });
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
    await world.emulate({ queueSeconds: 0.1, runSeconds: 0.1 });
    const kept = await world.trigger(asking("To be kept", 'print("here")'));
    const gone = await world.trigger(asking("To be deleted", 'print("gone")'));
    await Promise.all([world.settled(kept), world.settled(gone)]);
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

const DROPPED = `retry: 100
id: 1
event: step
data: {"at":"2026-01-01T00:00:00.000Z","stage":1,"tone":"calm","text":"Only this, and then silence","news":false}

`;
