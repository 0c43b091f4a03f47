// What a user can do with runs on the pages, in a real Chromium.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import {
  CHROMIUM,
  logInByForm,
  openBrowser,
  openLoggedInPage,
  warnIfNoChromium,
} from "./browser.ts";
import { pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the actions on the pages");

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

  test("GET /results without any record does not scroll sideways at 360 px", async () => {
    const viewport = { width: 360, height: 740 };
    const { page } = await openLoggedInPage(browser, world, { viewport });
    await page.getByText("Nothing is recorded yet").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    await page.context().close();
  });

  test("/login refuses a wrong token, and Log out ends the session", async () => {
    const page = await browser.newPage();
    await page.goto(`${world.url}/results`);
    await page.getByLabel("Access token").fill("not the token at all");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Wrong access token.").waitFor();
    await logInByForm(page, world);
    await page.getByRole("heading", { name: "Results" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.goto(`${world.url}/results`);
    expect(new URL(page.url()).pathname).toBe("/login");
    await page.close();
  });

  test("the form shows a refusal at its field, and keeps what was typed", async () => {
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/trigger`);
    await page.getByLabel("Input").fill("It's mine");
    await page.getByLabel("Advanced, JSON").fill('{"metadata": 1}');
    expect(await page.locator("#curl").textContent()).toContain(String.raw`"It'\''s mine"`);
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#advanced-error").waitFor();
    expect(await page.getByLabel("Input").inputValue()).toBe("It's mine");
    expect(await page.getByLabel("Advanced, JSON").inputValue()).toBe('{"metadata": 1}');
    await page.getByLabel("Advanced, JSON").fill("{not json");
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#advanced-error").waitFor();
    expect(await page.locator("#advanced-error").textContent()).toContain("Line 1, column 2: ");
    await page.context().close();
  });

  test("the form starts a held run, and its page shows how the connection ended", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/trigger`);
    await page
      .getByLabel("Input")
      .fill(pythonRequest("emulator: run 8 seconds", 'print("kept")').input);
    await page.getByLabel("Hold").check();
    await page.getByLabel("Control").check();
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator("#hold-error").waitFor();
    expect(await page.locator("#curl").textContent()).toContain('"hold": true');
    expect(await page.getByLabel("Hold").isChecked()).toBe(true);
    await page.getByLabel("Control").uncheck();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("no webhook will come").waitFor();
    await page.getByRole("button", { name: "Cancel: close the connection" }).waitFor();
    await page.getByText("Holding the connection").first().waitFor();
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    await page.getByText("Held to its end").first().waitFor();
    await page.getByText("Check 1: from its held connection").waitFor();
    await page.getByText("kept", { exact: true }).waitFor();
    expect(errors.filter((line) => !line.includes("400"))).toEqual([]);
    await page.context().close();
  });

  test("the page of a held run shows where its connection broke, and what is known after it", async () => {
    await world.emulator.configure({ onDisconnect: "cancel" });
    await world.emulator.addFault({ ...CREATE_REQUEST, kind: "cut", after_events: 14 });
    const id = await world.trigger({
      hold: true,
      ...pythonRequest("Broken emulator: run 600 seconds", "print('one')"),
    });
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("closed, at 13 response.output_item.done").waitFor();
    await page.getByText("OpenAI cancelled the run with it").waitFor();
    await page.getByText("one", { exact: true }).waitFor();
    expect((await world.waitUntilSettled(id)).held).toEqual({
      broke_at: "13 response.output_item.done",
    });
    await page.context().close();
  });

  test("Cancel closes the connection of a held run, and the page shows what is known after it", async () => {
    await world.emulator.configure({ onDisconnect: "complete" });
    const id = await world.trigger({ hold: true, input: "emulator: run 600 seconds" });
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    const cancel = page.getByRole("button", { name: "Cancel: close the connection" });
    await cancel.click();
    await page.getByText("The connection broke, or was closed").waitFor();
    expect(await cancel.count()).toBe(0);
    await page.getByText("OpenAI may end the run with it, or finish it").waitFor();
    await page.context().close();
  });

  test("the form starts a followed run, and its page shows that its stream broke and what is known since", async () => {
    await world.emulator.addFault({ ...CREATE_REQUEST, kind: "cut", after_events: 14 });
    await world.emulator.addFault({ ...REPLAY, times: -1, kind: "status", status: 400 });
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/trigger`);
    const { input } = pythonRequest("Followed emulator: run 6 seconds", "print('two')");
    await page.getByLabel("Input").fill(input);
    await page.getByLabel("Stream").check();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Its stream is followed").first().waitFor();
    await page.getByText("The stream broke, or was closed, before the run's end").waitFor();
    await page.getByText("the rest was fetched by its id").waitFor();
    await page.getByText("two", { exact: true }).waitFor();
    expect(await page.getByText("broke before the run's end").count()).toBeGreaterThan(0);
    await world.emulator.clearFaults();
    await page.context().close();
  });

  test("the page of a run says that its control was interrupted, and compares what it has", async () => {
    await world.emulator.addFault({ ...CREATE_REQUEST, after: 1, kind: "cut", after_events: 8 });
    const id = await world.trigger({ control: true, ...pythonRequest("Compared", "print(1)") });
    const record = await world.waitUntilSettled(id);
    expect(record.control?.status).toBe("interrupted");
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("its status is interrupted").waitFor();
    await page.getByText("Its connection broke, or was closed by a cancel").waitFor();
    expect(await page.getByText("outputs differ").count()).toBe(0);
    await page.context().close();
  });

  test("the page of a run reconnects to a stream that ended too early, and follows on", async () => {
    // Long enough for a busy machine to open the page before the run ends.
    await world.emulator.configure({ queueSeconds: 8 });
    const id = await world.trigger(pythonRequest("Slow", 'print("late")'));
    const { page } = await openLoggedInPage(browser, world);
    let connections = 0;
    await page.route("**/events", async (route) => {
      connections += 1;
      if (connections > 1) return route.continue();
      return route.fulfill({ contentType: "text/event-stream", body: TRUNCATED_STREAM });
    });
    await page.goto(`${world.url}/results/${id}`);
    await page.getByText("Only this event").first().waitFor();
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    expect(connections).toBe(2);
    await page.context().close();
  });

  test("Check again observes a settled run once more, Delete removes a run permanently", async () => {
    await world.emulator.configure({ queueSeconds: 0.1, runSeconds: 0.1 });
    const kept = await world.trigger(pythonRequest("To be kept", 'print("here")'));
    const deleted = await world.trigger(pythonRequest("To be deleted", 'print("deleted")'));
    await Promise.all([world.waitUntilSettled(kept), world.waitUntilSettled(deleted)]);
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results/${kept}`);
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText("Check 2: fetched again").waitFor();
    await page.waitForURL(`**/results/${kept}`);
    await page.goto(`${world.url}/results/${deleted}`);
    await page.getByText("Delete…").click();
    await page.getByRole("button", { name: "Delete permanently" }).click();
    await page.waitForURL("**/results");
    await page.goto(`${world.url}/results/${deleted}`);
    expect(await page.locator("h1").textContent()).toBe("Not recorded, or expired");
    await page.context().close();
  });
});

const CREATE_REQUEST = { method: "POST", path: "^/v1/responses$" };
const REPLAY = { method: "GET", path: "^/v1/responses/[^/]+$", query: { stream: "true" } };

const TRUNCATED_STREAM = `retry: 100
id: 1
event: step
data: {"at":"2026-01-01T00:00:00.000Z","stage":1,"tone":"neutral","text":"Only this event","changed":false}

`;
