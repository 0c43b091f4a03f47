// Accessibility, checked by axe.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { z } from "zod";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const Violations = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** Opens all folded parts, so that they are checked too. */
export async function openAllDetails(page: Page): Promise<void> {
  await page.evaluate(
    "document.querySelectorAll('details').forEach((details) => details.setAttribute('open', ''))",
  );
}

// Only the colours differ in dark mode.
const AXE_OPTIONS = {
  light: { resultTypes: ["violations"] },
  dark: { resultTypes: ["violations"], runOnly: ["color-contrast"] },
};

/** What axe finds. The page must be opened with `bypassCSP`, because its content security policy forbids axe, which is injected. */
export async function findViolations(page: Page, colorScheme: "light" | "dark"): Promise<string[]> {
  await page.evaluate(AXE);
  const run = `axe.run(${JSON.stringify(AXE_OPTIONS[colorScheme])})`;
  const found = Violations.parse(await page.evaluate(`${run}.then((found) => found.violations)`));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}
