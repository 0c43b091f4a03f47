// A real Chromium for the tests of the pages, where there is one.
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { TOKEN, type World } from "../support/world.ts";

const PLACES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where Chromium is, or undefined. */
export const CHROMIUM = PLACES.find((place) => place !== "" && existsSync(place));

/** Says what is left out when there is no Chromium. */
export function sayLeftOut(what: string): void {
  if (CHROMIUM !== undefined) return;
  process.stderr.write(
    `\n  LEFT OUT, for there is no Chromium here: ${what}\n` +
      "  Get it: apt-get install chromium, or name one in CHROMIUM=/path/to/chrome\n\n",
  );
}

/** Starts the browser. */
export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error("there is no Chromium");
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}

/** A window that is logged in, and what went wrong in it. */
export type Window = { page: Page; complaints: string[] };

/**
 * Opens a window and logs in, with the token in the address's fragment; without script by the form.
 * @param browser The browser.
 * @param world Where the Worker is.
 * @param options Width, colours, script.
 */
export async function enter(
  browser: Browser,
  world: World,
  options: BrowserContextOptions = {},
): Promise<Window> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") complaints.push(line.text());
  });
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  if (options.javaScriptEnabled === false) await logInByForm(page, world);
  else await page.goto(`${world.url}/login#token=${TOKEN}`);
  await page.waitForURL("**/results");
  return { page, complaints };
}

/**
 * Logs in as a person does.
 * @param page The page.
 * @param world Where the Worker is.
 */
export async function logInByForm(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/login`);
  await page.getByLabel("Access token").fill(TOKEN);
  await page.getByRole("button", { name: "Log in" }).click();
}
