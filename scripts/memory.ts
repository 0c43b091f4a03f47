// How much heap a response of almost 24 MiB takes: `node scripts/memory.ts`. The Worker runs with ever less of it, until it dies.
// V8's heap alone is limited that way, and roughly; the bytes themselves lie beside it, and Cloudflare counts them too.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../emulator/server.ts";
import { startChild } from "../test/support/child.ts";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "../test/support/credentials.ts";
import { serveCommand } from "../test/support/worker-process.ts";
import { freePort } from "./port.ts";

/** Megabytes of heap, from much to little. */
const HEAPS = [160, 128, 112, 96, 80, 64, 48, 32];
const SIZE = 24 * 1024 * 1024 - 16_384;
const LETTERS = { "plain text": "y", "one character beyond U+00FF": "\u2713" };
const PATIENCE = 180_000;

const headers = { authorization: `Bearer ${TOKEN}` };

/** How it is read. */
const READS = {
  record: "",
  response: "/response",
  outputs: "/outputs",
  "page of its own": "",
} as const;

type Found = Record<string, boolean>;

async function measure(heap: number, letter: string): Promise<Found> {
  const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: `${url}/webhook`,
    backgroundOutputs: "present",
    queueSeconds: 0.1,
    runSeconds: 0.1,
  });
  const flags = { MINIFLARE_WORKERD_V8_FLAGS: `--max-heap-size=${heap}` };
  const worker = startChild(serveCommand(port, state, emulator.url), flags);
  try {
    await worker.waitForOutput(/Ready on/);
    const input = `\`\`\`python\nprint(${JSON.stringify(letter)} + "y" * ${SIZE - 8})\n\`\`\``;
    const id = await trigger(url, input);
    const stored = await settled(url, id);
    if (!stored) return { stored };
    const found: Found = { stored };
    for (const [name, rest] of Object.entries(READS))
      found[name] = await reads(`${url}/results/${id}${rest}`, name.startsWith("page"));
    return found;
  } finally {
    worker.kill();
    await worker.waitForExit();
    await emulator.close();
    rmSync(state, { recursive: true, force: true });
  }
}

async function trigger(url: string, input: string): Promise<string> {
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const body = JSON.stringify({ input, tools });
  const answer = await fetch(`${url}/trigger`, { method: "POST", headers, body });
  return /resp_\w+/.exec(await answer.text())?.[0] ?? "";
}

/** Whether it is in the list as recorded: the list reads no body. */
async function settled(url: string, id: string): Promise<boolean> {
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const list = await text(`${url}/results?verdict=captured`);
    if (list?.includes(id) === true) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}

async function reads(url: string, page: boolean): Promise<boolean> {
  const body = await text(url, page ? { accept: "text/html" } : {});
  return (
    body !== null &&
    (page || body.length > SIZE / 2) &&
    body.endsWith(page ? "</html>" : body.slice(-1))
  );
}

async function text(url: string, more: Record<string, string> = {}): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(url, { headers: { ...headers, ...more }, signal });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

for (const [what, letter] of Object.entries(LETTERS)) {
  console.log(`\n24 MiB of ${what}`);
  for (const heap of HEAPS) {
    const found = await measure(heap, letter);
    const words = Object.entries(found).map(([name, ok]) => `${name} ${ok ? "yes" : "NO"}`);
    console.log(`${String(heap).padStart(4)} MB  ${words.join("  ")}`);
    if (found["stored"] === false) break;
  }
}
