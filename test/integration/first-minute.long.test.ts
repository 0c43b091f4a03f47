// The README's first command, as a stranger runs it: in a fresh clone, with nothing installed.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { readCodeBlocks } from "../support/code-blocks.ts";
import { isInstalled, SHELL_NAMES, warnIfMissing } from "../support/shells.ts";

warnIfMissing("zsh", "the README's first command in zsh");

const URL_IN_README = "https://github.com/OWNER/response-recorder";

const folder = mkdtempSync(join(tmpdir(), "response-recorder-first-"));
const repository = createRepository();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" });
}

/** Commits this project's files, as they are now, to a repository of their own; gives its path. */
function createRepository(): string {
  const path = join(folder, "repository");
  const files = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0");
  for (const file of files.filter((name) => name !== "")) cpSync(file, join(path, file));
  git("init", "--quiet", path);
  git("-C", path, "add", "--all");
  const author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
  git("-C", path, ...author, "commit", "--quiet", "--message", "Test");
  return path;
}

/** The variables of a stranger's shell: git finds the repository at the README's URL, and Node is this machine's own. */
function strangersEnv(): Record<string, string> {
  const path = (process.env["PATH"] ?? "").split(delimiter);
  return {
    PATH: path.filter((entry) => !entry.includes("node_modules")).join(delimiter),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${repository}.insteadOf`,
    GIT_CONFIG_VALUE_0: URL_IN_README,
    npm_config_prefer_offline: "true",
  };
}

test.each(SHELL_NAMES.filter(isInstalled))(
  "the README's first command ends in %s with the outputs, after an installation without warnings",
  async (shell) => {
    const [first] = readCodeBlocks("README.md").filter(({ language }) => language === "sh");
    const cwd = mkdtempSync(join(folder, "clone-"));
    const child = startChild([shell, "-c", `cd ${cwd} && ${first?.text}`], strangersEnv());
    await child.waitForOutput(/Press Ctrl-C to end/);
    expect(child.output()).toMatch(/What the code printed.*\n\nBG_STDOUT_OK\n/);
    expect(child.output()).not.toMatch(/npm warn|npm error/i);
    child.interruptGroup();
    await child.waitForExit();
    await child.waitForGroupExit();
    rmSync(cwd, { recursive: true });
  },
);
