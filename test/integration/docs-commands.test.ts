// The commands of the README and the docs, run against an emulator and a Worker. Those that need more are listed, with the reason.
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../emulator/server.ts";
import { listDocs, readCodeBlocks, type CodeBlock } from "../support/code-blocks.ts";
import { isInstalled, pasteInto, run, SHELL_NAMES, warnIfMissing } from "../support/shells.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

warnIfMissing("zsh", "the commands of the docs in zsh");
warnIfMissing("python3", "the recipe for Python");

/** Commands that this file doesn't run. */
const NOT_RUN = [
  { command: /^git clone .* npm start$/, reason: "first-minute.long.test.ts runs it" },
  {
    command: /^((git pull && )?npm ci && )?npm run deploy$/,
    reason: "needs an account; see deploy/",
  },
  {
    command: /^npx wrangler (deploy|rollback|versions list|secret put \w+)$/,
    reason: "needs an account",
  },
  { command: /^OPENAI_API_KEY=\S+ npm start -- --live( --once)?$/, reason: "start-live.test.ts" },
  { command: /^npm run emulator -- /, reason: "stays up; emulator/command-line.test.ts runs it" },
  { command: /^npm run dev -- /, reason: "stays up; wrangler's own command" },
  { command: /^npm run bench( -- \S+( \S+)?)?$/, reason: "takes minutes" },
  { command: /^npm (ci|run test:unit)$/, reason: "what runs this test" },
];

/** Languages of blocks that are no commands. */
const NO_COMMANDS = ["text", "mermaid", "md", "ts"];
/** All other blocks: this file runs them, and the tests in deploy/ those of docs/deploy.md. */
const RUN = [
  "README.md js",
  "README.md python",
  "docs/deploy.md toml",
  "docs/deploy.md yaml",
  "docs/emulator.md sh",
  "docs/operations.md sh",
  "docs/recipes.md crontab",
  "docs/recipes.md js",
  "docs/recipes.md python",
  "docs/recipes.md sh",
  "docs/recipes.md yaml",
];

let world: World;
let slack: Server;
let posts: string[];
/** The variables that the recipes set or expect. */
let env: Record<string, string>;
const folder = mkdtempSync(join(tmpdir(), "response-recorder-docs-"));

beforeAll(async () => {
  world = await startWorld({ interpreters: 2 }, {}, {}, { unlimited: true });
  // One run is lost, for the recipe that looks for such runs.
  await world.waitUntilSettled(await world.trigger({ control: true }));
  posts = [];
  slack = createServer((request, answer) => {
    request.setEncoding("utf8").on("data", (text: string) => posts.push(text));
    request.on("end", () => answer.end("ok"));
  });
  await new Promise<void>((listening) => slack.listen(0, "127.0.0.1", listening));
  const address = slack.address();
  const port = typeof address === "object" ? address?.port : undefined;
  env = {
    RECORDER: world.url,
    ACCESS_TOKEN: TOKEN,
    OPENAI_BASE_URL: `${world.url}/v1`,
    OPENAI_API_KEY: TOKEN,
    SLACK_WEBHOOK_URL: `http://127.0.0.1:${port}/`,
  };
});
afterAll(async () => {
  slack.close();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

function blocksOf(file: string, language: string): CodeBlock[] {
  return readCodeBlocks(file).filter((block) => block.language === language);
}

/** The only block of a language in a file. */
function onlyBlock(file: string, language: string): string {
  const [block, ...others] = blocksOf(file, language);
  if (block === undefined || others.length > 0)
    throw new Error(`${file} must have one ${language} block.`);
  return block.text;
}

/** Whether a block is a command that is listed as not run. A block with several has only such. */
function isNotRun({ text }: CodeBlock): boolean {
  return text.split("\n").every((line) => NOT_RUN.some(({ command }) => command.test(line)));
}

/** A block as its reader types it: with a URL and a token of their own. */
function fillIn(text: string): string {
  return text.replaceAll("https://YOUR-WORKER", world.url).replaceAll("YOUR-ACCESS-TOKEN", TOKEN);
}

/** The same, with the project's commands called from another folder than the project's. */
function callFromElsewhere(text: string): string {
  return fillIn(text).replaceAll("npm run", `npm --prefix ${resolve()} run`);
}

/** A command with empty quotes in place of what is quoted, and without heredocs. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/<<'END'\n[^]*?\nEND$/gm, "").replaceAll(/'[^']*'|"(?:\\.|[^"])*"/g, "''");
}

function newFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("every code block", () => {
  const blocks = listDocs().flatMap(readCodeBlocks);

  test("is run, is listed as not run, or is fenced with a language that has no commands", () => {
    const others = blocks.filter(
      (block) => !NO_COMMANDS.includes(block.language) && !isNotRun(block),
    );
    const found = new Set(others.map(({ file, language }) => `${file} ${language}`));
    expect([...found].toSorted()).toEqual(RUN);
  });

  test("of a shell can be pasted into zsh: no comments, and no glob outside of quotes", () => {
    const pasted = blocks
      .filter(({ language }) => language === "sh")
      .map(({ text, ...where }) => ({ ...where, text: withoutQuoted(text) }));
    expect(pasted.filter(({ text }) => /(^|\s)#|[?*]|\w\[|\[\]/m.test(text))).toEqual([]);
  });

  test("that is listed as not run exists", () => {
    const lines = blocks.flatMap(({ text }) => text.split("\n"));
    const stale = NOT_RUN.filter(({ command }) => !lines.some((line) => command.test(line)));
    expect(stale).toEqual([]);
  });
});

test("the README has at most 120 lines, and no command before the one that installs", () => {
  const lines = readFileSync("README.md", "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(120);
  expect(blocksOf("README.md", "sh")[0]?.text).toContain("npm ci");
});

test.runIf(isInstalled("python3"))("the recipe for Python prints the outputs", async () => {
  const cwd = newFolder("python");
  const hasSdk = spawnSync("python3", ["-c", "import openai"]).status === 0;
  const withSdk: Record<string, string> = hasSdk
    ? {}
    : { PYTHONPATH: resolve("test/support/openai-by-http") };
  const recipe = onlyBlock("docs/recipes.md", "python");
  expect(await run("python3", ["-"], recipe, { cwd, env: { ...env, ...withSdk } })).toBe(
    "HELLO\n\n",
  );
  // The README's client, given its URL and key.
  const readme = fillIn(onlyBlock("README.md", "python"));
  const both = `${readme}\n${recipe.replace("client = OpenAI()\n", "")}`;
  expect(await run("python3", ["-"], both, { cwd, env: withSdk })).toBe("HELLO\n\n");
});

test("the recipe for JavaScript prints the outputs", async () => {
  const cwd = newFolder("javascript");
  symlinkSync(resolve("node_modules"), join(cwd, "node_modules"));
  const recipe = onlyBlock("docs/recipes.md", "js");
  writeFileSync(join(cwd, "recipe.mjs"), recipe);
  expect(await run(process.execPath, ["recipe.mjs"], "", { cwd, env })).toBe("HELLO\n\n");
  const readme = fillIn(onlyBlock("README.md", "js"));
  const rest = recipe
    .replace(/^import OpenAI.*\n/m, "")
    .replace("const client = new OpenAI();", "");
  writeFileSync(join(cwd, "readme.mjs"), `${readme}\n${rest}`);
  expect(await run(process.execPath, ["readme.mjs"], "", { cwd, env: {} })).toBe("HELLO\n\n");
});

test("the step of the GitHub workflow writes the outputs into its summary", async () => {
  const cwd = newFolder("actions");
  const yaml = onlyBlock("docs/recipes.md", "yaml");
  const [, indent = "", step = ""] = /^( +)- run: \|\n([^]*)$/m.exec(yaml) ?? [];
  const script = step.replaceAll(new RegExp(`^${indent}    `, "gm"), "");
  const variables = { GITHUB_RUN_ID: "1", GITHUB_STEP_SUMMARY: join(cwd, "summary.md") };
  await run("bash", ["-e", "-o", "pipefail"], script, { cwd, env: { ...env, ...variables } });
  expect(readFileSync(join(cwd, "summary.md"), "utf8")).toBe("REPORT\n");
});

describe.each(SHELL_NAMES.filter(isInstalled))("in %s", (shell) => {
  /** Pastes all commands of a file that need no account. */
  function paste(file: string, cwd: string, edit = fillIn): Promise<string> {
    const blocks = blocksOf(file, "sh").filter((block) => !isNotRun(block));
    const commands = edit(blocks.map(({ text }) => text).join("\n"));
    return pasteInto(shell, commands, {
      cwd,
      env: { SLACK_WEBHOOK_URL: env["SLACK_WEBHOOK_URL"] ?? "" },
    });
  }

  test("the recipes print, write and post the outputs", async () => {
    const cwd = newFolder(`recipes-${shell}`);
    const text = await paste("docs/recipes.md", cwd);
    expect(text).toMatch(/^HELLO$/m);
    expect(text).toContain('"verdict":"captured"');
    expect(posts.splice(0).map((post) => post.replace(/resp_\w+/, "ID"))).toEqual([
      `{"text": "Done: ${world.url}/results/ID"}`,
      `{"text": "Lost outputs: ${world.url}/results?verdict=lost"}`,
    ]);
    const [, home = "", command = ""] =
      /^\S+ \S+ \S+ \S+ \S+ cd (\S+) && (.*)$/.exec(onlyBlock("docs/recipes.md", "crontab")) ?? [];
    expect(home).not.toBe("");
    await run("/bin/sh", ["-c", command], "", { cwd, env: {} });
    expect(readFileSync(join(cwd, "report.txt"), "utf8")).toBe("NIGHTLY\n");
  });

  test("the back-up has every record, and the list is rebuilt", async () => {
    const cwd = newFolder(`operations-${shell}`);
    const text = await paste("docs/operations.md", cwd, callFromElsewhere);
    expect(text).toMatch(/"listed":[1-9]\d*,"failed":\[\],"cursor":null/);
    const names = readdirSync(join(cwd, "backup", "records"));
    const lines = names.map((name) => readFileSync(join(cwd, "backup", "records", name), "utf8"));
    const exported = await (await world.request("/results.ndjson")).text();
    expect(lines.toSorted().join("")).toBe(
      exported.split("\n").slice(0, -2).toSorted().join("\n").concat("\n"),
    );
  });

  test("the emulator's page shows a run in the foreground, and one in the background", async () => {
    const emulator = await startEmulator({});
    onTestFinished(() => emulator.close());
    const edit = (text: string) => text.replaceAll("http://127.0.0.1:9000", emulator.url);
    const text = await paste("docs/emulator.md", newFolder(`emulator-${shell}`), edit);
    expect(text).toContain('"outputs":[{"type":"logs","logs":"BG_STDOUT_OK\\n"}]');
    expect(text).toContain('"outputs":[]');
  });
});
