// node scripts/measure-memory.ts: measures the V8 heap that a response of almost 24 MiB needs, by running the Worker with ever less of it until it fails.
// The limit is approximate and covers V8's heap alone. The response's bytes lie outside the heap, and Cloudflare counts them too.
import { pollUntil } from "./lib/retry.ts";
import { startProcessWorld } from "../test/support/process-world.ts";
import { TOKEN } from "../test/support/world.ts";

/** From much to little. */
const HEAP_LIMITS_MB = [160, 128, 112, 96, 80, 64, 48, 32];
const BODY_BYTES = 24 * 1024 * 1024 - 16_384;
/** One character beyond U+00FF makes V8 store a text with two bytes a character. */
const FIRST_CHARACTERS = { "plain text": "y", "one character beyond U+00FF": "\u2713" };
const TIMEOUT_MS = 180_000;
const POLL_INTERVAL_MS = 500;

const headers = { authorization: `Bearer ${TOKEN}` };

/** The ways to read a record: path after `/results/:id`, and whether it is the page. */
const READS = {
  record: { path: "", isPage: false },
  response: { path: "/response", isPage: false },
  outputs: { path: "/outputs", isPage: false },
  "page of its own": { path: "", isPage: true },
} as const;

// Without a handler a signal would end this program and leave the Worker running.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

for (const [content, firstCharacter] of Object.entries(FIRST_CHARACTERS)) {
  console.log(`\n24 MiB of ${content}`);
  for (const heapMb of HEAP_LIMITS_MB) {
    const works = await measureReads(heapMb, firstCharacter);
    const cells = Object.entries(works).map(([name, ok]) => `${name} ${ok ? "yes" : "NO"}`);
    console.log(`${String(heapMb).padStart(4)} MB  ${cells.join("  ")}`);
    if (works["stored"] === false) break;
  }
}

/** Records one response and reads it in every way; gives what works with this much heap. */
async function measureReads(
  heapMb: number,
  firstCharacter: string,
): Promise<Record<string, boolean>> {
  const world = await startProcessWorld(
    { backgroundOutputs: "present", queueSeconds: 0.1, runSeconds: 0.1 },
    { env: { MINIFLARE_WORKERD_V8_FLAGS: `--max-heap-size=${heapMb}` } },
  );
  try {
    const print = `print(${JSON.stringify(firstCharacter)} + "y" * ${BODY_BYTES - 8})`;
    const id = await triggerRun(world.url, `\`\`\`python\n${print}\n\`\`\``);
    const works: Record<string, boolean> = { stored: await isStored(world.url, id) };
    if (works["stored"] === false) return works;
    for (const [name, { path, isPage }] of Object.entries(READS))
      works[name] = await canRead(`${world.url}/results/${id}${path}`, isPage);
    return works;
  } finally {
    await world.close();
  }
}

async function triggerRun(url: string, input: string): Promise<string> {
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const body = JSON.stringify({ input, tools });
  const answer = await fetch(`${url}/trigger`, { method: "POST", headers, body });
  return /resp_\w+/.exec(await answer.text())?.[0] ?? "";
}

/** Waits until the list has the run as captured. The list reads no body, so reading it takes little memory. */
async function isStored(url: string, id: string): Promise<boolean> {
  const read = async () => (await fetchText(`${url}/results?verdict=captured`))?.includes(id);
  return pollUntil(async () => (await read()) ?? false, {
    intervalMs: POLL_INTERVAL_MS,
    timeoutMs: TIMEOUT_MS,
  }).catch(() => false);
}

async function canRead(url: string, isPage: boolean): Promise<boolean> {
  const body = await fetchText(url, isPage ? { accept: "text/html" } : {});
  if (body === null) return false;
  return isPage ? body.endsWith("</html>") : body.length > BODY_BYTES / 2;
}

async function fetchText(url: string, more: Record<string, string> = {}): Promise<string | null> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { headers: { ...headers, ...more }, signal });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}
