// npm run screenshots: takes the pictures in docs/screenshots, of the Worker with the emulator on this machine.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import {
  CHROMIUM,
  openBrowser,
  openLoggedInPage,
  warnIfNoChromium,
} from "../test/pages/browser.ts";
import { ALL_KINDS, ALL_KINDS_REQUEST, USAGE } from "../test/pages/all-kinds.ts";
import { DRAW_IMAGE, pythonRequest } from "../test/pages/python-requests.ts";
import { startWorld, type World } from "../test/support/world.ts";

const FOLDER = fileURLToPath(new URL("../docs/screenshots/", import.meta.url));
const VIEWPORT = { width: 1120, height: 840 };
/** As wide as GitHub shows a README, so that its letters keep their size. */
const README_VIEWPORT = { width: 880, height: 320 };
/** A whole page with every kind of item would be too long for the README. */
const MAX_ITEMS_HEIGHT = 1_700;
const NETWORK_IDLE_TIMEOUT_MS = 2_000;

const EXAMPLE = pythonRequest(
  "Fit a line to the data",
  `xs = [0.0, 1.0, 2.0, 3.0, 4.0]
ys = [1.1, 2.9, 5.2, 7.1, 8.8]
n = len(xs)
slope = (n * sum(x * y for x, y in zip(xs, ys)) - sum(xs) * sum(ys)) / (n * sum(x * x for x in xs) - sum(xs) ** 2)
print(f"slope {slope:.3f}")
print(f"intercept {(sum(ys) - slope * sum(xs)) / n:.3f}")`,
);

/** Kinds of items that most people have. */
const RESEARCH = ALL_KINDS.filter((step) =>
  ["reasoning", "web_search", "code", "image_generation", "shell", "function_call", "text"].some(
    (name) => name in step,
  ),
);

if (CHROMIUM === undefined) {
  warnIfNoChromium("the screenshots");
  process.exit(1);
}
mkdirSync(FOLDER, { recursive: true });
const world = await startWorld({ queueSeconds: 0.5, runSeconds: 1.5 }, { REFETCH_DELAYS: "1 2 4" });
const browser = await openBrowser();
try {
  const compared = await triggerLostAndHeld(world);
  for (const colorScheme of ["light", "dark"] as const) {
    const options = { viewport: README_VIEWPORT, colorScheme };
    const { page } = await openLoggedInPage(browser, world, options);
    await takeScreenshot(page, `lost-and-held-${colorScheme}`);
    await page.context().close();
  }
  const { research, inFlight } = await triggerOthers(world);
  const { page } = await openLoggedInPage(browser, world, { viewport: VIEWPORT });
  await page.goto(`${world.url}/results/${compared}`);
  await takeScreenshot(page, "result");
  await page.goto(`${world.url}/results/${research}`);
  await loadPictures(page);
  await takeScreenshot(page, "items", MAX_ITEMS_HEIGHT);
  await page.goto(`${world.url}/results/${inFlight}`);
  await page.getByText("Waiting for OpenAI's webhook").first().waitFor();
  await takeScreenshot(page, "running");
  await page.goto(`${world.url}/results`);
  await takeScreenshot(page, "list");
} finally {
  await browser.close();
  await world.close();
}

/** Starts the same request in the background, with a control, and held; gives the id of the first. */
async function triggerLostAndHeld(target: World): Promise<string> {
  const lost = await target.trigger({ ...EXAMPLE, control: true });
  await target.waitUntilSettled(lost);
  await target.waitUntilSettled(await target.trigger({ ...EXAMPLE, hold: true }));
  return lost;
}

/** Starts runs for the other verdicts; gives the id of one with many kinds of items, and of one that is in flight. */
async function triggerOthers(target: World): Promise<{ research: string; inFlight: string }> {
  const silent = await target.trigger(pythonRequest("Just compute", "x = 6 * 7"));
  await target.waitUntilSettled(silent);
  await target.emulator.configure({ backgroundOutputs: "present" });
  const drawn = await target.trigger(pythonRequest("Draw one period of a damped sine", DRAW_IMAGE));
  const failed = await target.trigger({ input: "Summarise the attached report\nemulator: fail" });
  await target.emulator.addScript(RESEARCH, { input: "tides" }, { usage: USAGE });
  const research = await target.trigger(ALL_KINDS_REQUEST);
  await Promise.all([drawn, failed, research].map((id) => target.waitUntilSettled(id)));
  await target.emulator.configure({ runSeconds: 600 });
  const inFlight = await target.trigger(
    pythonRequest("Train a small classifier and print its accuracy", "print(0.93)"),
  );
  return { research, inFlight };
}

async function loadPictures(page: Page): Promise<void> {
  for (const image of await page.locator("main img").all()) await image.scrollIntoViewIfNeeded();
}

async function takeScreenshot(page: Page, name: string, maxHeight = Infinity): Promise<void> {
  await page
    .waitForLoadState("networkidle", { timeout: NETWORK_IDLE_TIMEOUT_MS })
    .catch(() => undefined);
  const path = `${FOLDER}${name}.png`;
  const { width, height } = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return { width: scrollWidth, height: scrollHeight };
  });
  const clip = { x: 0, y: 0, width, height: Math.min(height, maxHeight) };
  await page.screenshot({ path, fullPage: true, clip, animations: "disabled", scale: "css" });
  console.log(path);
}
