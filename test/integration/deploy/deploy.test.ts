import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { EVENT_TYPES } from "../../../scripts/deploy/webhook-endpoint.ts";
import { pollUntil } from "../../../scripts/lib/retry.ts";
import { readCodeBlocks } from "../../support/code-blocks.ts";
import { startChild } from "../../support/child.ts";
import {
  API_KEY,
  NAME,
  startDeployedWorld,
  startDeployWorld,
  WORKER_URL,
  type DeployWorld,
} from "../../support/cloudflare/deploy-world.ts";

const TOKEN = "a-token-of-the-ci-system";
const POLL_INTERVAL_MS = 20;
/** Each webhook starts a Recorder. */
const WEBHOOK_INTERVAL_MS = 500;
/** A busy machine needs minutes to deploy while webhooks come. */
const ROTATION_TIMEOUT_MS = 300_000;
const LOGGED_WRANGLER = fileURLToPath(
  new URL("../../support/cloudflare/logged-wrangler.ts", import.meta.url),
);

let world: DeployWorld;
afterEach(() => world.close());

/** The secrets that no argument, no environment of wrangler and no output may have. */
function listSecretValues(): string[] {
  return [API_KEY, ...Object.values(world.secrets())];
}

async function expectWorkingRecorder(url = WORKER_URL): Promise<void> {
  expect(Object.keys(world.secrets()).toSorted()).toEqual([
    "ACCESS_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_WEBHOOK_SECRET",
  ]);
  const endpoints = await world.endpoints();
  expect(endpoints).toMatchObject([{ url: `${url}/webhook`, event_types: EVENT_TYPES }]);
  const event = { event_type: "response.completed" };
  const answer = await world.post(`/webhook_endpoints/${endpoints[0]?.id}/test`, event);
  expect(await answer.json()).toMatchObject({ status_code: 200 });
}

describe("the first deploy", () => {
  test("asks for the key that the environment lacks, leaves a recorder that works, and shows its token once", async () => {
    world = await startDeployWorld();
    const env = { OPENAI_API_KEY: undefined };
    const { error, printed, asked } = await world.deploy({}, { env, answers: [API_KEY] });
    expect({ error, asked }).toEqual({ error: null, asked: ["OPENAI_API_KEY"] });
    await expectWorkingRecorder();
    const { ACCESS_TOKEN: token = "none", OPENAI_API_KEY: key } = world.secrets();
    expect(key).toBe(API_KEY);
    expect(printed.split(token)).toHaveLength(2);
    expect(printed).toContain(`Bearer $ACCESS_TOKEN" ${WORKER_URL}/trigger`);
    const list = await fetch(`${WORKER_URL}/results`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(list.status).toBe(200);
  });

  test("gives wrangler no secret in an argument or its environment, and shows none but the token", async () => {
    world = await startDeployWorld();
    const calls = join(dirname(world.configPath), "calls.ndjson");
    const env = { ACCESS_TOKEN: TOKEN, WRANGLER_CALLS: calls };
    const { error, printed } = await world.deploy({}, { env, wranglerPath: LOGGED_WRANGLER });
    expect(error).toBeNull();
    expect(world.secrets()["ACCESS_TOKEN"]).toBe(TOKEN);
    const visible = `${printed}\n${readFileSync(calls, "utf8")}`;
    expect(visible).toContain('"args":["secret","bulk"]');
    expect(listSecretValues()).toHaveLength(4);
    for (const secret of listSecretValues()) expect(visible).not.toContain(secret);
  });

  test.each([
    { env: {}, message: /ACCESS_TOKEN is missing/ },
    { env: { OPENAI_API_KEY: "" }, message: /OPENAI_API_KEY is missing/ },
    { env: { ACCESS_TOKEN: "short" }, message: /at least 16/ },
  ])("without a terminal, with $env, fails with $message and changes nothing", async (row) => {
    world = await startDeployWorld();
    const { error } = await world.deploy({}, { env: row.env, isInteractive: false });
    expect(error).toMatch(row.message);
    expect(world.account.scripts.size).toBe(0);
    expect(await world.endpoints()).toEqual([]);
  });

  test("takes the Worker's URL from --url where wrangler names none", async () => {
    world = await startDeployWorld();
    world.editConfig((text) => text.replace("workers_dev = true", "workers_dev = false"));
    expect((await world.deploy()).error).toMatch(/--url/);
    expect((await world.deploy({ url: world.url })).error).toBeNull();
    await expectWorkingRecorder(world.url);
  });
});

describe("a later deploy", () => {
  test("changes nothing when nothing differs, and needs no token without a terminal", async () => {
    world = await startDeployedWorld();
    const before = { secrets: world.secrets(), endpoints: await world.endpoints() };
    const { error, printed } = await world.deploy({}, { isInteractive: false });
    expect(error).toBeNull();
    expect({ secrets: world.secrets(), endpoints: await world.endpoints() }).toEqual(before);
    expect(world.calls.filter(({ path }) => path.endsWith("secrets-bulk"))).toEqual([]);
    expect(printed).not.toContain("shown only now");
  });

  test("replaces only the token with --new-token", async () => {
    world = await startDeployedWorld();
    const before = world.secrets();
    const { printed } = await world.deploy({ newToken: true });
    const { ACCESS_TOKEN: token = "none", ...rest } = world.secrets();
    expect(before).toMatchObject(rest);
    expect(token).not.toBe(before["ACCESS_TOKEN"]);
    expect(printed.split(token)).toHaveLength(2);
  });

  test("adds an endpoint's missing event types and keeps its other ones", async () => {
    world = await startDeployedWorld();
    const [endpoint] = await world.endpoints();
    const event_types = ["response.completed", "batch.completed"];
    await world.post(`/webhook_endpoints/${endpoint?.id}`, { event_types });
    await world.deploy();
    const [after] = await world.endpoints();
    expect(new Set(after?.event_types)).toEqual(new Set([...EVENT_TYPES, "batch.completed"]));
  });
});

async function listAccepted(): Promise<Set<string>> {
  const accepted = (await world.deliveries()).filter(({ status }) => status === 200);
  return new Set(accepted.map(({ response_id }) => response_id));
}

test(
  "a rotation loses no webhook that arrives during it",
  async () => {
    world = await startDeployedWorld();
    const { OPENAI_WEBHOOK_SECRET: before } = world.secrets();
    const rotation = world.deploy({ rotate: true });
    const isOver = rotation.then(() => true);
    let sent = 0;
    do await world.sendWebhook(`resp_${(sent += 1)}`);
    while (!(await Promise.race([isOver, sleep(WEBHOOK_INTERVAL_MS, false)])));
    expect((await rotation).error).toBeNull();
    expect(world.secrets()["OPENAI_WEBHOOK_SECRET"]).not.toBe(before);
    await world.sendWebhook("resp_last");
    const ids = [...Array.from({ length: sent }, (_, index) => `resp_${index + 1}`), "resp_last"];
    // A busy machine may drop a connection; the emulator then retries, as OpenAI would.
    const areAccepted = async () => {
      const accepted = await listAccepted();
      return ids.every((id) => accepted.has(id));
    };
    await pollUntil(areAccepted, { intervalMs: POLL_INTERVAL_MS });
    // The Worker answers 400 to a signature that it can't verify.
    const rejected = (await world.deliveries()).filter(({ status }) => status === 400);
    expect(rejected).toEqual([]);
  },
  ROTATION_TIMEOUT_MS,
);

const ENDPOINTS = "^/v1/webhook_endpoints";
const failOpenAI = (rule: object) => () =>
  world.failOpenAI({ kind: "status", status: 500, ...rule });
const failStoring = (times: number) => async () =>
  world.fail({ path: /secrets-bulk$/, status: 400, times });

describe.each([
  {
    step: "Check the current state",
    why: "OpenAI rejects the key",
    fail: failOpenAI({ status: 401 }),
  },
  {
    step: "Check the current state",
    why: "Cloudflare doesn't list the secrets",
    fail: async () => world.fail({ path: /secrets$/, status: 503 }),
  },
  {
    step: "Register the webhook endpoint",
    why: "OpenAI's answer is lost",
    fail: failOpenAI({ method: "POST", path: `${ENDPOINTS}$`, carry_out: true }),
  },
  {
    step: "Store the secrets",
    why: "Cloudflare refuses them three times",
    fail: failStoring(3),
  },
  {
    step: "Send a test event",
    why: "OpenAI fails",
    fail: failOpenAI({ path: "/test$" }),
  },
  {
    step: "Check /health",
    why: "a setting is malformed",
    fail: async () => setHold("sometimes"),
  },
])("when step $step fails because $why", ({ step, fail }) => {
  test("the deploy reports what is done, what is not and what to do next, and the next deploy finishes", async () => {
    world = await startDeployWorld();
    await fail();
    const first = await world.deploy();
    const report = `Failed: ${step}[\\s\\S]*Done:[\\s\\S]*Not done:\\n  ${step}`;
    expect(first.error).toMatch(new RegExp(report));
    expect(first.error).toMatch(/Next: .*run npm run deploy/);
    for (const secret of listSecretValues()) expect(first.error).not.toContain(secret);
    setHold("auto");
    const second = await world.deploy();
    expect(second.error).toBeNull();
    await expectWorkingRecorder();
  });
});

function setHold(value: string): void {
  world.editConfig((text) => text.replace(/^HOLD = .*$/m, `HOLD = "${value}"`));
}

test("a second rotation replaces a signing secret that the first one could not store", async () => {
  world = await startDeployedWorld();
  await failStoring(3)();
  expect((await world.deploy({ rotate: true })).error).toMatch(/--rotate again/);
  await expectWorkingRecorder();
  expect((await world.deploy({ rotate: true })).error).toBeNull();
  await expectWorkingRecorder();
});

describe("npm run deploy", () => {
  test("deploys the project's own wrangler.toml with the variables of the workflow in docs/deploy.md, and shows no secret", async () => {
    world = await startDeployWorld();
    const command = [process.execPath, "scripts/deploy.ts", "--url", world.url];
    const { environment, openaiUrl } = world;
    const env = { ...environment, DEPLOY_API: openaiUrl, ACCESS_TOKEN: TOKEN };
    const { text = "" } =
      readCodeBlocks("docs/deploy.md").find(({ language }) => language === "yaml") ?? {};
    const secrets = Array.from(text.matchAll(/^ +(\w+): \$\{\{ secrets\./gm), ([, name]) => name);
    const others = ["DEPLOY_API", "PATH", "HOME", "NODE_COMPILE_CACHE", "WRANGLER_SEND_METRICS"];
    const wanted = [...secrets, ...others, "CLOUDFLARE_API_BASE_URL"];
    expect(new Set(Object.keys(env))).toEqual(new Set(wanted));
    const child = startChild(command, env);
    expect(await child.waitForExit()).toBe(0);
    await expectWorkingRecorder(world.url);
    expect(child.output()).toContain("The recorder works.");
    for (const secret of listSecretValues()) expect(child.output()).not.toContain(secret);
    expect(world.account.scripts.get(NAME)?.schedules).toEqual(["*/5 * * * *"]);
  });

  test.each([
    { options: ["--env", "flagged"], chosen: "flagged" },
    { options: [], chosen: "from-the-variable" },
  ])("deploys the environment $chosen with $options and CLOUDFLARE_ENV", async (row) => {
    world = await startDeployWorld();
    const command = [process.execPath, "scripts/deploy.ts", ...row.options];
    const env = { ...world.environment, CLOUDFLARE_ENV: "from-the-variable" };
    const child = startChild(command, env);
    expect(await child.waitForExit()).toBe(1);
    expect(child.output()).toContain(`wrangler.toml has no [env.${row.chosen}].`);
    expect(world.calls).toEqual([]);
  });
});
