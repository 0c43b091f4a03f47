// Every page for everyone: without a mouse, a wide screen, light, or script.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";
import { CHROMIUM, enter, openBrowser, sayLeftOut } from "./browser.ts";
import { asking, DENSE, DRAWING, HOSTILE } from "./input.ts";

sayLeftOut("axe, narrow screens, and pages without script");

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const Violations = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);
const LARGEST_PAGE = 60_000;

let world: World;
/** Paths of every kind of page, by what they show. */
let pages: Record<string, string>;

beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" }, {}, {}, { unlimited: true });
  pages = await fill(world);
});
afterAll(() => world.close());

test("no page has more than 60 KB on the wire", async () => {
  const sizes: number[] = [];
  for (const path of Object.values(pages)) {
    const answer = await world.request(path, { headers: { accept: "text/html" } });
    sizes.push(gzipSync(await answer.bytes()).byteLength);
  }
  expect(Math.max(...sizes)).toBeLessThan(LARGEST_PAGE);
});

test("older results are a page further", async () => {
  const html = { headers: { accept: "text/html" } };
  const newest = await (await world.request("/results?limit=2", html)).text();
  const link = /<a href="([^"]+)">Older</.exec(newest)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const older = await (await world.request(link, html)).text();
  expect(older).toContain(">Newest<");
  expect(idsIn(older).filter((id) => idsIn(newest).includes(id))).toEqual([]);
});

describe.runIf(CHROMIUM !== undefined)("in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test.each(["light", "dark"] as const)("axe finds no violation in %s", async (colorScheme) => {
    // axe is put in from outside, which the pages' own policy forbids.
    const { page } = await enter(browser, world, { colorScheme, bypassCSP: true });
    const found: string[] = [];
    for (const path of [...Object.values(pages), "/login"]) {
      await page.goto(world.url + path);
      await unfold(page);
      found.push(
        ...(await violations(page, colorScheme)).map((violation) => `${path} ${violation}`),
      );
    }
    expect(found).toEqual([]);
    await page.context().close();
  });

  test("no page scrolls sideways at 360 px, nor runs what it shows", async () => {
    const viewport = { width: 360, height: 740 };
    const { page, complaints } = await enter(browser, world, { viewport });
    const wide: string[] = [];
    for (const path of Object.values(pages)) {
      await page.goto(world.url + path);
      await unfold(page);
      if (await page.evaluate("document.documentElement.scrollWidth > 360")) wide.push(path);
    }
    expect(wide).toEqual([]);
    expect(complaints.filter((line) => !line.includes("404"))).toEqual([]);
    await page.context().close();
  });

  test("without script a run is started, and seen by refreshing", async () => {
    await world.emulator.configure({ runSeconds: 2 });
    const { page } = await enter(browser, world, { javaScriptEnabled: false });
    await page.goto(`${world.url}/trigger`);
    await page.getByLabel("Input").fill("Run Python that prints exactly: NO_SCRIPT");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Queued at OpenAI").waitFor();
    await world.waitUntilSettled(new URL(page.url()).pathname.split("/").at(-1) ?? "");
    await page.getByRole("link", { name: "Refresh" }).click();
    expect(await page.locator("pre.printed").first().textContent()).toContain("NO_SCRIPT");
    await page.context().close();
  });

  test("hostile output is text, and the page stays usable", async () => {
    const { page, complaints } = await enter(browser, world);
    await page.goto(`${world.url}${pages["hostile"] ?? ""}`);
    await unfold(page);
    const shown = (await page.locator("pre.printed").first().textContent()) ?? "";
    expect(shown).toContain("<script>alert(1)</script>");
    expect(shown).toContain("</pre><img src=x onerror=alert(2)>");
    expect(shown).toContain("ESC[31mredESC[0m");
    expect(shown).toContain("U+202Egnp.exe");
    await page.getByText("Cut here: 5 MB in all.").waitFor();
    expect(await page.locator("main img, main script, main iframe").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

async function fill(target: World): Promise<Record<string, string>> {
  const rich = await target.trigger(
    asking("Everything", "for i in range(200): print(i)", DRAWING, "x = 1"),
  );
  const hostile = await target.trigger(asking("<b>Hostile</b> \u202einput", HOSTILE));
  const failed = await target.trigger({ input: "emulator: fail" });
  const dense = await target.trigger(asking("Dense", DENSE, DENSE, DENSE));
  for (const id of [rich, hostile, dense, failed]) await target.waitUntilSettled(id);
  const held = await target.trigger({ hold: true, ...asking("Held", "print(1)") });
  await target.emulator.addFault({
    method: "POST",
    path: "^/v1/responses$",
    kind: "cut",
    after_events: 14,
  });
  const broken = await target.trigger({ hold: true, ...asking("Broken", "print(1)") });
  for (const id of [held, broken]) await target.waitUntilSettled(id);
  await target.emulator.configure({ backgroundOutputs: "empty" });
  const compared = await target.trigger({ control: true, ...asking("Compared", 'print("one")') });
  await target.emulator.configure({ runSeconds: 600, backgroundOutputs: "present" });
  const flying = await target.trigger(asking("In flight", "print(1)"));
  const holding = await target.trigger({ hold: true, ...asking("In flight, held", "print(1)") });
  return {
    list: "/results",
    filtered: "/results?verdict=lost",
    trigger: "/trigger",
    rich: result(rich),
    hostile: result(hostile),
    dense: result(dense),
    failed: result(failed),
    compared: result(compared),
    flying: result(flying),
    held: result(held),
    broken: result(broken),
    holding: result(holding),
    unknown: result("resp_unknown"),
  };
}

function idsIn(html: string): string[] {
  return [...html.matchAll(/href="\/results\/(resp_\w+)"/g)].map((found) => found[1] ?? "");
}

function result(id: string): string {
  return `/results/${id}`;
}

// What is folded is part of the page.
async function unfold(page: Page): Promise<void> {
  await page.evaluate(
    "document.querySelectorAll('details').forEach((one) => one.setAttribute('open', ''))",
  );
}

// In the dark only the colours differ.
const RULES = {
  light: { resultTypes: ["violations"] },
  dark: { resultTypes: ["violations"], runOnly: ["color-contrast"] },
};

async function violations(page: Page, colorScheme: "light" | "dark"): Promise<string[]> {
  await page.evaluate(AXE);
  const run = `axe.run(${JSON.stringify(RULES[colorScheme])})`;
  const found = Violations.parse(await page.evaluate(`${run}.then((found) => found.violations)`));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}
