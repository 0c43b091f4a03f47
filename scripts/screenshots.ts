// npm run screenshots: the pictures in docs/screenshots, taken from the Worker and the emulator on this machine.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { CHROMIUM, enter, openBrowser, sayLeftOut } from "../test/pages/browser.ts";
import { asking, DRAWING } from "../test/pages/input.ts";
import { startWorld, type World } from "../test/support/world.ts";

const FOLDER = fileURLToPath(new URL("../docs/screenshots/", import.meta.url));
const SIZE = { width: 1120, height: 840 };

const EXAMPLE = {
  control: true,
  ...asking(
    "Fit a line to the measurements in /mnt/data and print the coefficients",
    `xs = [0.0, 1.0, 2.0, 3.0, 4.0]
ys = [1.1, 2.9, 5.2, 7.1, 8.8]
n = len(xs)
slope = (n * sum(x * y for x, y in zip(xs, ys)) - sum(xs) * sum(ys)) / (n * sum(x * x for x in xs) - sum(xs) ** 2)
print(f"slope {slope:.3f}")
print(f"intercept {(sum(ys) - slope * sum(xs)) / n:.3f}")`,
  ),
};

if (CHROMIUM === undefined) {
  sayLeftOut("the screenshots");
  process.exit(1);
}
mkdirSync(FOLDER, { recursive: true });
const world = await startWorld({ queueSeconds: 0.5, runSeconds: 1.5 }, { REFETCH_DELAYS: "1 2 4" });
const browser = await openBrowser();
try {
  const runs = await fill(world);
  const { page } = await enter(browser, world, { viewport: SIZE });
  await page.goto(`${world.url}/results/${runs.compared}`);
  await take(page, "result");
  await page.goto(`${world.url}/results/${runs.flying}`);
  await page.getByText("Waiting for OpenAI's webhook").first().waitFor();
  await take(page, "running");
  await page.goto(`${world.url}/results`);
  await take(page, "list");
} finally {
  await browser.close();
  await world.close();
}

async function fill(target: World): Promise<{ compared: string; flying: string }> {
  const compared = await target.trigger(EXAMPLE);
  const done = [compared, await target.trigger(asking("Just compute", "x = 6 * 7"))];
  await Promise.all(done.map((id) => target.waitUntilSettled(id)));
  await target.emulator.configure({ backgroundOutputs: "present" });
  const drawn = await target.trigger(asking("Draw one period of a damped sine", DRAWING));
  const failed = await target.trigger({ input: "Summarise the attached report\nemulator: fail" });
  await Promise.all([drawn, failed].map((id) => target.waitUntilSettled(id)));
  await target.emulator.configure({ runSeconds: 600 });
  const flying = await target.trigger(
    asking("Train a small classifier and print its accuracy", "print(0.93)"),
  );
  return { compared, flying };
}

// The viewport grows to the page: a full-page picture, and no more than is worth a reader's time.
async function take(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle", { timeout: 2_000 }).catch(() => undefined);
  const path = `${FOLDER}${name}.png`;
  await page.screenshot({ path, fullPage: true, animations: "disabled", scale: "css" });
  console.log(path);
}
