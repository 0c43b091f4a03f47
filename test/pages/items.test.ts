// The page of a run whose response has an item of every kind.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";
import { ALL_KINDS, ALL_KINDS_REQUEST, PICTURE, USAGE } from "./all-kinds.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { pythonRequest } from "./python-requests.ts";

warnIfNoChromium("the items of a response");

const HTML = { headers: { accept: "text/html" } };
/** More than was ever parsed as a whole. */
const LARGE_IMAGE_BYTES = 9 * 1024 * 1024;

let world: World;
let id: string;

beforeAll(async () => {
  world = await startWorld(
    { backgroundOutputs: "present", codeLineEnds: "crlf" },
    {},
    {},
    { unlimited: true },
  );
  await world.emulator.addScript(ALL_KINDS, { input: "tides" }, { usage: USAGE });
  id = await world.trigger(ALL_KINDS_REQUEST);
  await world.waitUntilSettled(id);
});
afterAll(() => world.close());

async function readPage(run: string): Promise<string> {
  return (await world.request(`/results/${run}`, HTML)).text();
}

test("GET /results/:id of a response above 8 MiB shows its answer and its usage", async () => {
  const picture = Buffer.concat([Buffer.from(PICTURE, "base64"), Buffer.alloc(LARGE_IMAGE_BYTES)]);
  const result = picture.toString("base64");
  const steps = [{ image_generation: { result } }, { text: "Here is **the picture**." }];
  await world.emulator.addScript(steps, { input: "large" }, { usage: USAGE });
  const large = await world.trigger({ input: "A large picture" });
  await world.waitUntilSettled(large);
  const html = await readPage(large);
  expect(html).toContain("<strong>the picture</strong>");
  expect(html).toContain("1,200 in (800 cached), 450 out (128 reasoning)");
  expect(html).toContain("PNG, 160 × 100, 9.4 MB");
});

test("GET /results/:id/images/:call_id/0 serves a generated picture, and nothing at a second place", async () => {
  const [path = ""] = /\/results\/[^"]+\/images\/ig_[^"]+\/0/.exec(await readPage(id)) ?? [];
  const picture = await world.request(path);
  expect(picture.headers.get("content-type")).toBe("image/png");
  expect(Buffer.from(await picture.bytes()).toString("base64")).toBe(PICTURE);
  expect((await world.request(path.replace(/0$/, "1"))).status).toBe(404);
});

test("GET /results/:id shows the middle of very many items as one line", async () => {
  const steps = Array.from({ length: 130 }, (_, step) => ({ text: `step ${step}.` }));
  await world.emulator.addScript(steps, { input: "many" });
  const many = await world.trigger({ input: "Say many things" });
  await world.waitUntilSettled(many);
  const html = await readPage(many);
  expect(html).toContain("10 more items are in the ");
  expect([79, 80, 89, 90, 129].filter((step) => html.includes(`step ${step}.`))).toEqual([
    79, 90, 129,
  ]);
});

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    browser = await openBrowser();
    ({ page, errors } = await openLoggedInPage(browser, world));
    await page.goto(`${world.url}/results/${id}`);
  });
  afterAll(() => browser.close());

  test("GET /results/:id lists every item in the response's order", async () => {
    expect(await page.locator(".items h3, .item.line p").allInnerTexts()).toEqual([
      "Reasoning",
      "Reasoning",
      "Commentary",
      "Web search, call 1",
      "Opened a web page",
      "Searched a web page",
      "File search, call 2",
      "Code interpreter, call 3",
      "Code interpreter, call 4",
      "Code interpreter, call 5",
      "Picture, call 6",
      "Picture, call 7",
      "Tools of an MCP server",
      "MCP tool, call 8",
      "MCP tool, call 9",
      "Shell, call 10",
      "Local shell",
      "Function call",
      "Custom tool call",
      "Computer",
      "Patch",
      "Approval of an MCP call",
      "Earlier items were compacted here Raw JSON",
      "An item of type program Raw JSON",
      "Message",
      "Message",
    ]);
    expect(errors).toEqual([]);
  });

  test.each([
    ["Web search, call 1", ["tide tables Bremen Emden Husum", "3 sources", "javascript:alert(2)"]],
    ["Searched a web page", ["high water", "https://tides.example/tables/2026"]],
    ["File search, call 2", ["reference port", "harbours.md", "0.91", "Husum is tidal."]],
    [
      "Code interpreter, call 3",
      ["captured", "loading done\nBremen 4.1 m\nhour 0", "32 more lines"],
    ],
    ["Code interpreter, call 5", ["incomplete", "No outputs: OpenAI returned [ ]."]],
    ["Tools of an MCP server", ["harbour", "1 tool"]],
    ["MCP tool, call 8", ["harbour / tide_at", '"harbour": "Bremen"', '"level": 4.1']],
    [
      "Shell, call 10",
      ["sort harbours.csv\ncat missing.csv", "Bremen,06:41", "No such file", "exit code 1"],
    ],
    ["Local shell", ["ls -la", "In /tmp", "local_shell_call_output", "call_local"]],
    ["Function call", ["save_table", '"rows": 3', "function_call_output", "call_save"]],
    ["Custom tool call", ["shout", "tide!", "It waits for an answer", "call_shout"]],
    ["Computer", ['"type": "click"', "computer_call_output"]],
    ["Patch", ["update file: tides.py", "-low\n+high"]],
    ["Approval of an MCP call", ["harbour / close_gate", '"gate": 2', "mcp_approval_response"]],
    ["Message", ["The model refused: I can't open the gate."]],
  ])("GET /results/:id shows of %s what was asked and what came", async (title, words) => {
    const heading = page.getByRole("heading", { name: title, exact: true }).first();
    const text = await page.locator(".item").filter({ has: heading }).first().innerText();
    for (const word of words) expect(text).toContain(word);
  });

  test("GET /results/:id shows no item as waiting that has its answer, or needs none", async () => {
    expect(await page.locator(".waits").count()).toBe(6);
  });

  test("GET /results/:id shows an answer's Markdown as elements, and its HTML as text", async () => {
    const answer = page.locator(".item").last();
    expect(await answer.getByRole("heading", { level: 4 }).innerText()).toBe("What the tables say");
    expect(await answer.locator("table tr").count()).toBe(4);
    expect(await answer.locator("ol:not(.sources) > li ul > li").allInnerTexts()).toEqual([
      "one row a harbour,",
      "times in UTC.",
    ]);
    expect(await answer.locator("blockquote").innerText()).toContain("reference port");
    expect(await answer.innerText()).toContain(
      "a script (javascript:alert(1)), <b>HTML</b>, a lost file (This file was not copied.).",
    );
  });

  test("GET /results/:id leads from an answer to its sources and to the rescued file", async () => {
    const answer = page.locator(".item").last();
    expect(await answer.locator(".sources li").allInnerTexts()).toEqual([
      "Tide tables 2026 tides.example",
      "harbours.md",
    ]);
    await answer.locator("sup a").first().click();
    expect(page.url()).toMatch(/-source-1$/);
    expect(await page.locator(":target").innerText()).toContain("Tide tables 2026");
    const hrefs = await answer
      .getByRole("link", { name: "harbours.csv" })
      .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    const file = await world.request(hrefs[0] ?? "");
    expect(await file.text()).toBe("harbour,high_water\nBremen,06:41\n");
    expect(new Set(hrefs).size).toBe(1);
  });

  test("GET /results/:id shows code with CRLF line ends without a sign for them", async () => {
    const code = page.getByRole("group", { name: "Code", exact: true });
    expect(await code.nth(2).innerText()).toBe(
      'import csv\nfor row in csv.reader(open("a.csv")):\n    total = 1\n',
    );
    expect(await code.locator(".hidden-character").count()).toBe(0);
  });

  test("the raw text of an output has what the page leaves out", async () => {
    const href = await page.getByRole("link", { name: "Raw text" }).getAttribute("href");
    const raw = await (await world.request(href ?? "")).text();
    expect(raw).toContain("\rloading 95%\rloading done\n\u001b[32mBremen\u001b[0m 4.1 m\n");
  });

  test("Copy takes code and the whole of folded output", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const copy = async (name: string) => {
      await page.getByRole("button", { name, exact: true }).first().click();
      await page.getByText("Copied").first().waitFor();
      return String(await page.evaluate("navigator.clipboard.readText()"));
    };
    expect(await copy("Copy: Printed text")).toBe(
      [
        "loading done",
        "Bremen 4.1 m",
        ...Array.from({ length: 60 }, (_, hour) => `hour ${hour}`),
      ].join("\n"),
    );
    expect(await copy("Copy: Commands")).toBe("sort harbours.csv\ncat missing.csv");
  });

  test("pictures have their size before they are loaded, and a name to be kept under", async () => {
    const image = page.getByRole("img", { name: "The generated picture" });
    expect([await image.getAttribute("width"), await image.getAttribute("height")]).toEqual([
      "160",
      "100",
    ]);
    await image.scrollIntoViewIfNeeded();
    await expect
      .poll(() =>
        image.evaluate(
          (element) =>
            element.getAttribute("src") !== null &&
            "naturalWidth" in element &&
            element.naturalWidth,
        ),
      )
      .toBe(160);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator("figure").filter({ has: image }).getByRole("link", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^item-\d+\.png$/);
  });

  test("with a control each call stands once, background beside control", async () => {
    await world.emulator.configure({ backgroundOutputs: "empty" });
    const lost = await world.trigger({
      control: true,
      ...pythonRequest("Compare", 'print("one")', "x = 1"),
    });
    await world.waitUntilSettled(lost);
    await world.emulator.configure({ backgroundOutputs: "present" });
    await page.goto(`${world.url}/results/${lost}`);
    const calls = page.locator(".item.kind-code");
    expect(await calls.count()).toBe(2);
    const first = calls.first();
    expect(await first.getByRole("group", { name: "Code", exact: true }).count()).toBe(1);
    expect(await first.locator(".side").allInnerTexts()).toEqual([
      expect.stringMatching(/^Background\n+No outputs/),
      expect.stringMatching(/^Foreground \(control\)\n+Printed text[^]*one/),
    ]);
    expect(await first.locator("mark").innerText()).toBe("one");
    expect(await page.locator("#call-1").count()).toBe(1);
  });
});
