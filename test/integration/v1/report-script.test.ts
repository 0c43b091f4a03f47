// The report's script: curl, a loop, and Python that reads what the shell passes on. Only base URL and key are changed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isInstalled, run, SHELL_NAMES, warnIfMissing } from "../../support/shells.ts";
import { API_KEY, startWorld, TOKEN, type World } from "../../support/world.ts";

warnIfMissing("zsh", "the report's script in zsh");
warnIfMissing("python3", "the report's script");

const OPENAI = "https://api.openai.com/v1";

// After https://community.openai.com/t/1372536. It polls 60 times at most, where the report's never stops.
const SCRIPT = `
RESPONSE=$(curl -sS ${OPENAI}/responses \\
  -H "Authorization: Bearer $OPENAI_API_KEY" -H "Content-Type: application/json" \\
  -d '{
    "model": "gpt-5.2-2025-12-11",
    "background": true,
    "tools": [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}],
    "include": ["code_interpreter_call.outputs"],
    "input": "Run Python that prints exactly: BG_STDOUT_OK"
  }')
ID=$(echo "$RESPONSE" | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
for POLLS in $(seq 60); do
  POLL=$(curl -sS -g "${OPENAI}/responses/$ID?include[]=code_interpreter_call.outputs" \\
    -H "Authorization: Bearer $OPENAI_API_KEY")
  STATUS=$(echo "$POLL" | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])')
  echo "status=$STATUS"
  case "$STATUS" in completed|failed|cancelled) break;; esac
  sleep 0.5
done
echo "$POLL" | python3 -c '
import json, sys
for item in json.load(sys.stdin)["output"]:
    if item["type"] == "code_interpreter_call":
        print("outputs=" + json.dumps(item["outputs"]))
'
`;

/** The script as docs/v1.md has it written for a shell. */
const WRITTEN = {
  bash: SCRIPT,
  zsh: SCRIPT.replaceAll(/echo (?="\$(RESPONSE|POLL)")/g, "print -r -- "),
};

let world: World;
const folder = mkdtempSync(join(tmpdir(), "response-recorder-report-"));
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.runIf(isInstalled("python3")).each(SHELL_NAMES.filter(isInstalled))("in %s", (shell) => {
  async function runScript(baseURL: string, key: string): Promise<string | undefined> {
    const path = join(folder, `report.${shell}`);
    writeFileSync(path, WRITTEN[shell].replaceAll(OPENAI, baseURL));
    const env = { OPENAI_API_KEY: key };
    const printed = await run(shell, [path], "", { cwd: folder, env });
    expect(printed).toMatch(/^status=completed$/m);
    return /^outputs=(.*)$/m.exec(printed)?.[1];
  }

  test("the report's script prints no outputs at OpenAI", async () => {
    expect(await runScript(`${world.emulator.url}/v1`, API_KEY)).toBe("[]");
  });

  test("the report's script prints the outputs through /v1", async () => {
    const printed = await runScript(`${world.url}/v1`, TOKEN);
    expect(printed).toBe('[{"type": "logs", "logs": "BG_STDOUT_OK\\n"}]');
  });
});
