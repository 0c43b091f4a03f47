// The form of a new run, in a real Chromium.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { containing } from "../support/matchers.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the form of a new run");

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let world: World;
  let browser: Browser;

  beforeAll(async () => {
    [world, browser] = await Promise.all([
      startWorld({ backgroundOutputs: "empty" }, {}, {}, { unlimited: true }),
      openBrowser(),
    ]);
  });
  beforeEach(() => world.emulator.clearRequests());
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  test("a run whose outputs were lost is started again held by its page's button, and captured", async () => {
    const lost = await world.trigger({
      ...pythonRequest("Squares", 'print("the squares")'),
      control: true,
      metadata: { team: "a" },
    });
    expect(await world.waitUntilSettled(lost)).toMatchObject({ verdict: "lost" });
    const { page, errors } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/results/${lost}`);
    await page.getByRole("link", { name: "Run held" }).click();
    expect(await page.title()).toContain("New run");
    expect(await page.getByLabel("Hold").isChecked()).toBe(true);
    expect(await page.getByLabel("Control").isChecked()).toBe(false);
    await world.emulator.clearRequests();
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("heading", { name: "Outputs captured" }).waitFor();
    await page.getByText("the squares", { exact: true }).waitFor();
    const [create] = await world.emulator.listRequests();
    expect(create?.body).toMatchObject({ background: false, metadata: { team: "a" } });
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("the form says while one types where the advanced field stops being JSON, and the command stays in step", async () => {
    const { page, errors } = await openForm();
    await page.getByLabel("Model").fill("gpt-x");
    await page.getByLabel("Code interpreter").selectOption("16 GB");
    await page.getByLabel("Files").fill("file-1, file-2");
    await page.getByLabel("Previous response").fill("resp_1");
    await page.getByLabel("Days to keep").fill("7");
    await page.getByLabel("Stream").check();
    const advanced = page.getByLabel("Advanced, JSON");
    await advanced.fill('{"user": "me"}');
    const command = await page.locator("#curl").textContent();
    expect(JSON.parse(/-d '(.*)'$/s.exec(command ?? "")?.[1] ?? "")).toEqual({
      input: containing("BG_STDOUT_OK"),
      model: "gpt-x",
      previous_response_id: "resp_1",
      tools: [
        {
          type: "code_interpreter",
          container: { type: "auto", memory_limit: "16g", file_ids: ["file-1", "file-2"] },
        },
      ],
      stream: true,
      retention_days: 7,
      user: "me",
    });
    await advanced.fill('{\n  "user": "me",\n}');
    const error = page.locator("#advanced-error");
    expect(await error.textContent()).toContain("Line 3, column 1: a name in double quotes");
    expect(await advanced.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#curl").textContent()).toBe(command);
    await advanced.fill('{\n  "user": "you"\n}');
    expect([await error.isVisible(), await advanced.getAttribute("aria-invalid")]).toEqual([
      false,
      null,
    ]);
    expect(await page.locator("#curl").textContent()).toContain('"user": "you"');
    await advanced.fill('{"tools": []}');
    expect(await page.locator("#file_ids-error").textContent()).toContain("tools of its own");
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test("the server's command is the script's", async () => {
    const id = await world.trigger({
      input: "\n It's\ttwo\nlines ",
      tools: [{ type: "web_search" }],
      metadata: { team: "a" },
    });
    const { page } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}/trigger?from=${id}&stream=on`);
    const command = await page.locator("#curl").textContent();
    await page.getByLabel("Stream").uncheck();
    expect(await page.locator("#curl").textContent()).not.toBe(command);
    await page.getByLabel("Stream").check();
    expect(await page.locator("#curl").textContent()).toBe(command);
    await page.context().close();
  });

  test.each(["Control", "Meta"])(
    "%s+Enter in a field starts one run, however often it is pressed",
    async (key) => {
      const { page } = await openForm();
      await page.getByLabel("Input").fill("hello");
      await page.evaluate(`for (let n = 0; n < 3; n += 1) {
      const pressed = { key: "Enter", ctrlKey: ${key === "Control"}, metaKey: ${key === "Meta"}, bubbles: true };
      document.getElementById("input").dispatchEvent(new KeyboardEvent("keydown", pressed));
    }`);
      await page.waitForURL("**/results/resp_*");
      const requests = await world.emulator.listRequests();
      expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
      await page.context().close();
    },
  );

  test.each([true, false])(
    "a refused form shows its wrong field, with JavaScript: %s",
    async (javaScriptEnabled) => {
      const viewport = { width: 360, height: 500 };
      const { page } = await openLoggedInPage(browser, world, { viewport, javaScriptEnabled });
      await page.goto(`${world.url}/trigger`);
      await page.getByLabel("Advanced, JSON").fill('{\n  "user": me\n}');
      await page.getByRole("button", { name: "Start" }).click();
      // The browser moves the focus, and scrolls, a moment after it has the page.
      await page.locator("#advanced:focus").waitFor();
      expect(await page.locator("#advanced-error").textContent()).toContain("Line 2, column 11: ");
      expect(await page.getByLabel("Advanced, JSON").inputValue()).toBe('{\n  "user": me\n}');
      for (const selector of ["#advanced", "#advanced-error"]) {
        await waitFor(() => isInView(page, selector), Boolean);
      }
      await page.keyboard.type("x");
      expect(await page.getByLabel("Advanced, JSON").inputValue()).toContain("x");
      await page.context().close();
    },
  );

  async function openForm(): ReturnType<typeof openLoggedInPage> {
    const opened = await openLoggedInPage(browser, world);
    await opened.page.goto(`${world.url}/trigger`);
    return opened;
  }
});

/** Whether an element is in the window as a whole. */
async function isInView(page: Page, selector: string): Promise<boolean> {
  const box = await page.locator(selector).boundingBox();
  const height = page.viewportSize()?.height ?? 0;
  return box !== null && box.y >= 0 && box.y + box.height <= height;
}
