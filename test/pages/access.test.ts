// Every kind of page: accessibility, size, narrow screens, dark colours, no JavaScript, hostile text.
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorld, TOKEN, type World } from "../support/world.ts";
import { CHROMIUM, openBrowser, openLoggedInPage, warnIfNoChromium } from "./browser.ts";
import { findViolations, openAllDetails } from "./violations.ts";
import { ALL_KINDS, ALL_KINDS_REQUEST } from "./all-kinds.ts";
import {
  DRAW_IMAGE,
  PRINT_HOSTILE_TEXT,
  PRINT_INCOMPRESSIBLE_TEXT,
  pythonRequest,
} from "./python-requests.ts";

warnIfNoChromium("accessibility, narrow screens, pages without JavaScript");

const MAX_PAGE_BYTES = 60_000;

let world: World;
/** The path of each kind of page. */
let pages: Record<string, string>;

beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" }, {}, {}, { unlimited: true });
  pages = await createPages(world);
});
afterAll(() => world.close());

test("no page has more than 60 KB, gzipped", async () => {
  const sizes: number[] = [];
  for (const path of Object.values(pages)) {
    const answer = await world.request(path, { headers: { accept: "text/html" } });
    sizes.push(gzipSync(await answer.bytes()).byteLength);
  }
  expect(Math.max(...sizes)).toBeLessThan(MAX_PAGE_BYTES);
});

test("GET /results links to a page of older results, none of which it shows itself", async () => {
  const html = { headers: { accept: "text/html" } };
  const newest = await (await world.request("/results?limit=2", html)).text();
  const link =
    /<a href="([^"]+)" rel="next">Older</.exec(newest)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const older = await (await world.request(link, html)).text();
  expect(older).toContain(">Newest<");
  expect(findResponseIds(older).filter((id) => findResponseIds(newest).includes(id))).toEqual([]);
});

test("POST /results/:id/cancel of an ended run shows the title of its error", async () => {
  const answer = await world.request(`${pages["failed"] ?? ""}/cancel`, {
    method: "POST",
    headers: { accept: "text/html" },
  });
  expect(answer.status).toBe(409);
  expect(await answer.text()).toContain("<h1>The run has ended already</h1>");
});

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test.each(["light", "dark"] as const)(
    "axe finds no violation on any page in %s",
    async (colorScheme) => {
      // The pages' content security policy forbids axe, which is injected.
      const { page } = await openLoggedInPage(browser, world, { colorScheme, bypassCSP: true });
      const found: string[] = [];
      for (const path of [...Object.values(pages), "/login"]) {
        await page.goto(world.url + path);
        await openAllDetails(page);
        found.push(
          ...(await findViolations(page, colorScheme)).map((violation) => `${path} ${violation}`),
        );
      }
      expect(found).toEqual([]);
      await page.context().close();
    },
  );

  test.each(["light", "dark"] as const)(
    "axe finds no violation on a refused form in %s",
    async (colorScheme) => {
      const options = { colorScheme, bypassCSP: true, viewport: { width: 360, height: 740 } };
      const { page } = await openLoggedInPage(browser, world, options);
      await page.goto(world.url + (pages["filled"] ?? ""));
      await page.getByRole("button", { name: "Start" }).click();
      await page.locator("#advanced-error").waitFor();
      expect(await page.locator("#advanced-error").textContent()).toContain("tools[0].headers");
      expect(await findViolations(page, colorScheme)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      await page.context().close();
    },
  );

  test("no page scrolls sideways at 360 px, and none runs what it shows", async () => {
    const viewport = { width: 360, height: 740 };
    const { page, errors } = await openLoggedInPage(browser, world, { viewport });
    const wide: string[] = [];
    for (const path of Object.values(pages)) {
      await page.goto(world.url + path);
      await openAllDetails(page);
      if (await page.evaluate("document.documentElement.scrollWidth > 360")) wide.push(path);
    }
    expect(wide).toEqual([]);
    expect(errors.filter((line) => !line.includes("404"))).toEqual([]);
    await page.context().close();
  });

  test("without JavaScript the form starts a run, and Refresh shows its outputs", async () => {
    await world.emulator.configure({ runSeconds: 2 });
    const { page } = await openLoggedInPage(browser, world, { javaScriptEnabled: false });
    await page.goto(`${world.url}/trigger`);
    await page.getByLabel("Input").fill("Run Python that prints exactly: NO_SCRIPT");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Queued at OpenAI").waitFor();
    await world.waitUntilSettled(new URL(page.url()).pathname.split("/").at(-1) ?? "");
    await page.getByRole("link", { name: "Refresh" }).click();
    expect(await page.locator("pre.preformatted").first().textContent()).toContain("NO_SCRIPT");
    await page.context().close();
  });

  test("a link to /login with the token in its fragment leads to the run, and leaves no token", async () => {
    const page = await browser.newPage();
    const sent: string[] = [];
    page.on("request", (request) => sent.push(`${request.url().split("#")[0]}`));
    const path = pages["failed"] ?? "";
    await page.goto(`${world.url}/login?next=${path}#token=${TOKEN}`);
    await page.waitForURL(`${world.url}${path}`);
    expect(sent.filter((url) => url.includes(TOKEN))).toEqual([]);
    await page.goBack();
    expect(page.url()).not.toContain(TOKEN);
    await page.close();
  });

  test("GET /results/:id shows hostile output as text, truncated", async () => {
    const { page, errors } = await openLoggedInPage(browser, world);
    await page.goto(`${world.url}${pages["hostile"] ?? ""}`);
    await openAllDetails(page);
    const shown = (await page.locator("pre.preformatted").first().textContent()) ?? "";
    expect(shown).toContain("<script>alert(1)</script>");
    expect(shown).toContain("</pre><img src=x onerror=alert(2)>");
    expect(shown).toContain("red ESC]8;;https://example.comBELlink");
    expect(shown).toContain("U+202Egnp.exe");
    await page.getByText("Truncated: 5 MB in total.").waitFor();
    expect(await page.locator("main img, main script, main iframe").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

async function createPages(target: World): Promise<Record<string, string>> {
  const rich = await target.trigger(
    pythonRequest("Everything", "for i in range(200): print(i)", DRAW_IMAGE, "x = 1"),
  );
  const hostile = await target.trigger(
    pythonRequest("<b>Hostile</b> \u202einput", PRINT_HOSTILE_TEXT),
  );
  const failed = await target.trigger({ input: "emulator: fail" });
  const dense = await target.trigger(
    pythonRequest(
      "Dense",
      PRINT_INCOMPRESSIBLE_TEXT,
      PRINT_INCOMPRESSIBLE_TEXT,
      PRINT_INCOMPRESSIBLE_TEXT,
    ),
  );
  await target.emulator.addScript(ALL_KINDS, { input: "tides" });
  const kinds = await target.trigger(ALL_KINDS_REQUEST);
  const withCredentials = await target.trigger({
    input: "With credentials",
    tools: [
      { type: "mcp", server_label: "x", server_url: "https://mcp.example", headers: { a: "b" } },
    ],
    instructions: "wide ".repeat(100),
  });
  for (const id of [rich, hostile, dense, failed, kinds]) await target.waitUntilSettled(id);
  const held = await target.trigger({ hold: true, ...pythonRequest("Held", "print(1)") });
  await target.emulator.addFault({
    method: "POST",
    path: "^/v1/responses$",
    kind: "cut",
    after_events: 14,
  });
  const broken = await target.trigger({ hold: true, ...pythonRequest("Broken", "print(1)") });
  for (const id of [held, broken]) await target.waitUntilSettled(id);
  await target.emulator.configure({ backgroundOutputs: "empty" });
  const compared = await target.trigger({
    control: true,
    ...pythonRequest("Compared", 'print("one")'),
  });
  await target.emulator.configure({ runSeconds: 600, backgroundOutputs: "present" });
  const inFlight = await target.trigger(pythonRequest("In flight", "print(1)"));
  const inFlightHeld = await target.trigger({
    hold: true,
    ...pythonRequest("In flight, held", "print(1)"),
  });
  return {
    list: "/results",
    filtered: "/results?verdict=lost",
    trigger: "/trigger",
    stats: "/stats",
    openapi: "/openapi",
    filled: `/trigger?from=${withCredentials}&hold=on`,
    rich: resultPath(rich),
    kinds: resultPath(kinds),
    hostile: resultPath(hostile),
    dense: resultPath(dense),
    failed: resultPath(failed),
    compared: resultPath(compared),
    inFlight: resultPath(inFlight),
    held: resultPath(held),
    broken: resultPath(broken),
    inFlightHeld: resultPath(inFlightHeld),
    unknown: resultPath("resp_unknown"),
    status: "/health",
  };
}

function findResponseIds(html: string): string[] {
  return [...html.matchAll(/href="\/results\/(resp_\w+)"/g)].map((found) => found[1] ?? "");
}

function resultPath(id: string): string {
  return `/results/${id}`;
}
