// A real Chromium for the tests of the pages. Where none is installed, these tests are skipped.
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { TOKEN, type World } from "../support/world.ts";

const CHROMIUM_PATHS = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of Chromium; undefined when none is installed. */
export const CHROMIUM = CHROMIUM_PATHS.find((path) => path !== "" && existsSync(path));

/** Warns that `what` is skipped when no Chromium is installed. */
export function warnIfNoChromium(what: string): void {
  if (CHROMIUM !== undefined) return;
  process.stderr.write(
    `\n  SKIPPED, because no Chromium was found: ${what}\n` +
      "  Install it (apt-get install chromium), or set CHROMIUM=/path/to/chrome\n\n",
  );
}

/**
 * Starts the browser.
 * @throws When no Chromium is installed.
 */
export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error("No Chromium was found.");
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
}

/** A page with a session, and the errors that it reports: exceptions, console errors, dialogs. */
export type LoggedInPage = { page: Page; errors: string[] };

/** Opens a page and logs in: with the token in the URL's fragment, or by the form when JavaScript is disabled. */
export async function openLoggedInPage(
  browser: Browser,
  world: World,
  options: BrowserContextOptions = {},
  token = TOKEN,
): Promise<LoggedInPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") errors.push(line.text());
  });
  page.on("dialog", (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  if (options.javaScriptEnabled === false) await logInByForm(page, world);
  else await page.goto(`${world.url}/login#token=${token}`);
  await page.waitForURL("**/results");
  return { page, errors };
}

/** Logs in by the form. */
export async function logInByForm(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/login`);
  await page.getByLabel("Access token").fill(TOKEN);
  await page.getByRole("button", { name: "Log in" }).click();
}
