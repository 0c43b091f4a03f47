import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pollUntil } from "../../../scripts/lib/retry.ts";
import { startChild } from "../../support/child.ts";
import { API_KEY, FAKE_WRANGLER, startFakeCloud, type FakeCloud } from "./fake-cloud.ts";

const EVENT_TYPES = [
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
];
const TOKEN = "a-token-of-the-ci-system";
const POLL_INTERVAL_MS = 20;

let cloud: FakeCloud;
beforeEach(async () => {
  cloud = await startFakeCloud();
});
afterEach(() => cloud.close());

/** The secrets that no argument, no environment of wrangler and no output may have. */
function listSecretValues(): string[] {
  return [API_KEY, ...Object.values(cloud.secrets())];
}

function listCommands(): string[] {
  return cloud.calls().map(({ command }) => command);
}

async function expectWorkingRecorder(): Promise<void> {
  expect(Object.keys(cloud.secrets()).toSorted()).toEqual([
    "ACCESS_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_WEBHOOK_SECRET",
  ]);
  const endpoints = await cloud.endpoints();
  expect(endpoints).toMatchObject([{ url: `${cloud.url}/webhook`, event_types: EVENT_TYPES }]);
  const answer = await cloud.post(`/webhook_endpoints/${endpoints[0]?.id}/test`, {
    event_type: "response.completed",
  });
  expect(await answer.json()).toMatchObject({ status_code: 200 });
}

describe("the first deploy", () => {
  test("leaves a recorder that works, and shows the token once", async () => {
    const { error, printed, asked } = await cloud.deploy();
    expect({ error, asked }).toEqual({ error: null, asked: [] });
    await expectWorkingRecorder();
    const { ACCESS_TOKEN: token = "none" } = cloud.secrets();
    expect(printed.split(token)).toHaveLength(2);
    expect(printed).toContain(`Bearer $ACCESS_TOKEN" ${cloud.url}/trigger`);
  });

  test("asks for the key when the environment has none", async () => {
    const { error, asked } = await cloud.deploy({}, { OPENAI_API_KEY: undefined });
    expect({ error, asked }).toEqual({ error: null, asked: ["OPENAI_API_KEY"] });
    expect(cloud.secrets()["OPENAI_API_KEY"]).toBe(API_KEY);
  });

  test("gives wrangler no secret in an argument or its environment, and shows none but the token", async () => {
    const { printed } = await cloud.deploy({}, { ACCESS_TOKEN: TOKEN });
    const calls = cloud.calls().map((call) => JSON.stringify(call));
    const visible = [printed, ...calls].join("\n");
    expect(listSecretValues()).toHaveLength(4);
    for (const secret of listSecretValues()) expect(visible).not.toContain(secret);
  });

  test("stores the token of the environment and does not show it", async () => {
    const { printed } = await cloud.deploy({}, { ACCESS_TOKEN: TOKEN });
    expect(cloud.secrets()["ACCESS_TOKEN"]).toBe(TOKEN);
    expect(printed).not.toContain(TOKEN);
  });

  test.each([
    { env: {}, message: /ACCESS_TOKEN is missing/ },
    { env: { OPENAI_API_KEY: "" }, message: /OPENAI_API_KEY is missing/ },
    { env: { ACCESS_TOKEN: "short" }, message: /at least 16/ },
  ])("without a terminal, with $env, fails with $message and changes nothing", async (row) => {
    const { error } = await cloud.deploy({}, row.env, false);
    expect(error).toMatch(row.message);
    expect(cloud.secrets()).toEqual({});
    expect(await cloud.endpoints()).toEqual([]);
  });

  test("takes the Worker's URL from --url where wrangler names none", async () => {
    const env = { STAND_IN_TARGET: "schedule: * * * * *" };
    expect((await cloud.deploy({}, env)).error).toMatch(/--url/);
    expect((await cloud.deploy({ url: cloud.url }, env)).error).toBeNull();
    await expectWorkingRecorder();
  });
});

describe("a later deploy", () => {
  test("changes nothing when nothing differs", async () => {
    await cloud.deploy();
    const before = { secrets: cloud.secrets(), endpoints: await cloud.endpoints() };
    const { error, printed } = await cloud.deploy({}, { ACCESS_TOKEN: TOKEN });
    expect(error).toBeNull();
    expect({ secrets: cloud.secrets(), endpoints: await cloud.endpoints() }).toEqual(before);
    expect(listCommands().filter((command) => command.startsWith("secret bulk"))).toHaveLength(2);
    expect(printed).not.toContain("shown only now");
  });

  test("needs no token, even without a terminal", async () => {
    await cloud.deploy();
    expect((await cloud.deploy({}, {}, false)).error).toBeNull();
  });

  test("replaces only the token with --new-token", async () => {
    await cloud.deploy();
    const before = cloud.secrets();
    const { printed } = await cloud.deploy({ newToken: true });
    const { ACCESS_TOKEN: token = "none", ...rest } = cloud.secrets();
    expect(before).toMatchObject(rest);
    expect(token).not.toBe(before["ACCESS_TOKEN"]);
    expect(printed.split(token)).toHaveLength(2);
  });

  test("registers the endpoint again after it was deleted", async () => {
    await cloud.deploy();
    for (const { id } of await cloud.endpoints()) await cloud.deleteEndpoint(id);
    expect((await cloud.deploy()).error).toBeNull();
    await expectWorkingRecorder();
  });

  test("adds an endpoint's missing event types and keeps its other ones", async () => {
    await cloud.deploy();
    const [endpoint] = await cloud.endpoints();
    const event_types = ["response.completed", "batch.completed"];
    await cloud.post(`/webhook_endpoints/${endpoint?.id}`, { event_types });
    await cloud.deploy();
    const [after] = await cloud.endpoints();
    expect(new Set(after?.event_types)).toEqual(new Set([...EVENT_TYPES, "batch.completed"]));
  });
});

async function listAccepted(): Promise<Set<string>> {
  const accepted = (await cloud.deliveries()).filter(({ status }) => status === 200);
  return new Set(accepted.map(({ response_id }) => response_id));
}

test("a rotation loses no webhook that arrives during it", async () => {
  await cloud.deploy();
  const { OPENAI_WEBHOOK_SECRET: before } = cloud.secrets();
  const rotation = cloud.deploy({ rotate: true });
  const isOver = rotation.then(() => true);
  let sent = 0;
  do await cloud.sendWebhook(`resp_${(sent += 1)}`);
  while (!(await Promise.race([isOver, sleep(POLL_INTERVAL_MS, false)])));
  expect((await rotation).error).toBeNull();
  expect(cloud.secrets()["OPENAI_WEBHOOK_SECRET"]).not.toBe(before);
  await cloud.sendWebhook("resp_last");
  const ids = [...Array.from({ length: sent }, (_, index) => `resp_${index + 1}`), "resp_last"];
  // A busy machine may drop a connection; the emulator then retries, as OpenAI would.
  const areAccepted = async () => {
    const accepted = await listAccepted();
    return ids.every((id) => accepted.has(id));
  };
  await pollUntil(areAccepted, { intervalMs: POLL_INTERVAL_MS });
  const rejected = (await cloud.deliveries()).filter(
    ({ status }) => status !== null && status >= 300,
  );
  expect(rejected).toEqual([]);
});

const ENDPOINTS = "^/v1/webhook_endpoints";
const failApi = (rule: object) => () => cloud.failApi({ kind: "status", status: 500, ...rule });
const failWrangler =
  (command: string, times = 1) =>
  async () =>
    cloud.failWrangler(command, times);

describe.each([
  {
    step: "Check the current state",
    why: "OpenAI rejects the key",
    fail: failApi({ status: 401 }),
  },
  {
    step: "Check the current state",
    why: "wrangler can't list secrets",
    fail: failWrangler("secret list"),
  },
  {
    step: "Check the current state",
    why: "wrangler is not logged in",
    fail: async () => failLogin(),
  },
  {
    step: "Deploy the Worker",
    why: "wrangler can't deploy",
    fail: failWrangler("deploy"),
  },
  {
    step: "Store the key",
    why: "wrangler can't store secrets",
    fail: failWrangler("secret bulk OPENAI_API_KEY ACCESS_TOKEN"),
  },
  {
    step: "Register the webhook endpoint",
    why: "OpenAI fails",
    fail: failApi({ method: "POST", path: `${ENDPOINTS}$` }),
  },
  {
    step: "Register the webhook endpoint",
    why: "OpenAI's answer is lost",
    fail: failApi({ method: "POST", path: `${ENDPOINTS}$`, carry_out: true }),
  },
  {
    step: "Store its signing secret",
    why: "wrangler fails three times",
    fail: failWrangler("secret bulk OPENAI_WEBHOOK_SECRET", 3),
  },
  {
    step: "Send a test event",
    why: "OpenAI fails",
    fail: failApi({ path: "/test$" }),
  },
  {
    step: "Check /health",
    why: "a setting is missing",
    fail: async () => cloud.failHealth(),
  },
])("when step $step fails because $why", ({ step, fail }) => {
  test("the deploy reports what is done, what is not and what to do next, and the next deploy finishes", async () => {
    await fail();
    const first = await cloud.deploy();
    expect(first.error).toMatch(
      new RegExp(`Failed: ${step}[\\s\\S]*Done:[\\s\\S]*Not done:\\n  ${step}`),
    );
    expect(first.error).toMatch(/Next: .*run npm run deploy/);
    for (const secret of listSecretValues()) expect(first.error).not.toContain(secret);
    const second = await cloud.deploy();
    expect(second.error).toBeNull();
    await expectWorkingRecorder();
  });
});

/** Makes wrangler say once that it is not logged in, to a deploy without a terminal, which can't log in. */
function failLogin(): void {
  cloud.failWrangler("whoami --json", 1);
  const { deploy } = cloud;
  cloud.deploy = (options, env) => {
    cloud.deploy = deploy;
    return deploy(options, { ACCESS_TOKEN: TOKEN, ...env }, false);
  };
}

test("a second rotation replaces a signing secret that the first one could not store", async () => {
  await cloud.deploy();
  cloud.failWrangler("secret bulk OPENAI_WEBHOOK_SECRET", 3);
  expect((await cloud.deploy({ rotate: true })).error).toMatch(/--rotate again/);
  await expectWorkingRecorder();
  expect((await cloud.deploy({ rotate: true })).error).toBeNull();
  await expectWorkingRecorder();
});

function createEnvironment(): Record<string, string> {
  return {
    ...cloud.environment,
    DEPLOY_WRANGLER: FAKE_WRANGLER,
    DEPLOY_API: cloud.apiUrl,
    OPENAI_API_KEY: API_KEY,
  };
}

describe("npm run deploy", () => {
  const command = [process.execPath, "scripts/deploy.ts"];

  test("deploys, and shows no secret", async () => {
    const child = startChild(command, { ...createEnvironment(), ACCESS_TOKEN: TOKEN });
    expect(await child.waitForExit()).toBe(0);
    await expectWorkingRecorder();
    expect(child.output()).toContain("The recorder works.");
    for (const secret of listSecretValues()) expect(child.output()).not.toContain(secret);
  });

  test("creates no token without a terminal that could show it", async () => {
    const child = startChild(command, createEnvironment());
    expect(await child.waitForExit()).toBe(1);
    expect(child.output()).toMatch(/ACCESS_TOKEN is missing/);
    expect(cloud.secrets()).toEqual({});
  });

  test("only deploys in Cloudflare's build, and says what is left to do", async () => {
    const child = startChild(command, {
      ...createEnvironment(),
      WORKERS_CI: "1",
      WRANGLER_OUTPUT_FILE_PATH: "/dev/null",
    });
    expect(await child.waitForExit()).toBe(0);
    expect(listCommands()).toEqual(["deploy"]);
    expect(child.output()).toMatch(/run npm run deploy/);
  });
});
