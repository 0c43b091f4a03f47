import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startChild } from "../../support/child.ts";
import { KEY, startCloud, WRANGLER, type Cloud } from "./setup.ts";

const EVENTS = [
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
];
const TOKEN = "a-token-of-the-ci-system";

let cloud: Cloud;
beforeEach(async () => {
  cloud = await startCloud();
});
afterEach(() => cloud.close());

/** What no argument, no environment of wrangler's and no output may hold. */
function secretsSoFar(): string[] {
  return [KEY, ...Object.values(cloud.secrets())];
}

function commands(): string[] {
  return cloud.calls().map(({ command }) => command);
}

async function expectToWork(): Promise<void> {
  expect(Object.keys(cloud.secrets()).toSorted()).toEqual([
    "ACCESS_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_WEBHOOK_SECRET",
  ]);
  const sent = await cloud.endpoints();
  expect(sent).toMatchObject([{ url: `${cloud.url}/webhook`, event_types: EVENTS }]);
  const tried = await cloud.post(`/webhook_endpoints/${sent[0]?.id}/test`, {
    event_type: "response.completed",
  });
  expect(await tried.json()).toMatchObject({ status_code: 200 });
}

describe("the first run", () => {
  test("leaves a recorder that works, and shows the token once", async () => {
    const { failed, said, asked } = await cloud.run();
    expect({ failed, asked }).toEqual({ failed: null, asked: [] });
    await expectToWork();
    const { ACCESS_TOKEN: token = "none" } = cloud.secrets();
    expect(said.split(token)).toHaveLength(2);
    expect(said).toContain(`Bearer $ACCESS_TOKEN" ${cloud.url}/trigger`);
  });

  test("asks for the key when the environment has none", async () => {
    const { failed, asked } = await cloud.run({}, { OPENAI_API_KEY: undefined });
    expect({ failed, asked }).toEqual({ failed: null, asked: ["OPENAI_API_KEY"] });
    expect(cloud.secrets()["OPENAI_API_KEY"]).toBe(KEY);
  });

  test("gives wrangler no secret in an argument or its environment, and shows none but the token", async () => {
    const { said } = await cloud.run({}, { ACCESS_TOKEN: TOKEN });
    const seen = [said, ...cloud.calls().map((call) => JSON.stringify(call))].join("\n");
    expect(secretsSoFar()).toHaveLength(4);
    for (const secret of secretsSoFar()) expect(seen).not.toContain(secret);
  });

  test("stores the token that the environment gives", async () => {
    const { said } = await cloud.run({}, { ACCESS_TOKEN: TOKEN });
    expect(cloud.secrets()["ACCESS_TOKEN"]).toBe(TOKEN);
    expect(said).not.toContain(TOKEN);
  });

  test.each([
    { env: {}, about: /ACCESS_TOKEN is missing/ },
    { env: { OPENAI_API_KEY: "" }, about: /OPENAI_API_KEY is missing/ },
    { env: { ACCESS_TOKEN: "short" }, about: /at least 16/ },
  ])("without a terminal, and with $env, changes nothing and says why", async ({ env, about }) => {
    const { failed } = await cloud.run({}, env, false);
    expect(failed).toMatch(about);
    expect(cloud.secrets()).toEqual({});
    expect(await cloud.endpoints()).toEqual([]);
  });

  test("finds a Worker's URL that wrangler can't tell with --url", async () => {
    const nowhere = { STAND_IN_TARGET: "schedule: * * * * *" };
    expect((await cloud.run({}, nowhere)).failed).toMatch(/--url/);
    expect((await cloud.run({ url: cloud.url }, nowhere)).failed).toBeNull();
    await expectToWork();
  });
});

describe("a later run", () => {
  test("changes nothing where nothing differs", async () => {
    await cloud.run();
    const before = { secrets: cloud.secrets(), endpoints: await cloud.endpoints() };
    const { failed, said } = await cloud.run({}, { ACCESS_TOKEN: TOKEN });
    expect(failed).toBeNull();
    expect({ secrets: cloud.secrets(), endpoints: await cloud.endpoints() }).toEqual(before);
    expect(commands().filter((command) => command.startsWith("secret bulk"))).toHaveLength(2);
    expect(said).not.toContain("shown only now");
  });

  test("needs no token, even without a terminal", async () => {
    await cloud.run();
    expect((await cloud.run({}, {}, false)).failed).toBeNull();
  });

  test("replaces the token with --new-token alone", async () => {
    await cloud.run();
    const before = cloud.secrets();
    const { said } = await cloud.run({ newToken: true });
    const { ACCESS_TOKEN: token = "none", ...rest } = cloud.secrets();
    expect(before).toMatchObject(rest);
    expect(token).not.toBe(before["ACCESS_TOKEN"]);
    expect(said.split(token)).toHaveLength(2);
  });

  test("registers anew an endpoint that somebody deleted", async () => {
    await cloud.run();
    for (const { id } of await cloud.endpoints()) await cloud.remove(id);
    expect((await cloud.run()).failed).toBeNull();
    await expectToWork();
  });

  test("adds the events that an endpoint lacks, and keeps those it has besides", async () => {
    await cloud.run();
    const [found] = await cloud.endpoints();
    const event_types = ["response.completed", "batch.completed"];
    await cloud.post(`/webhook_endpoints/${found?.id}`, { event_types });
    await cloud.run();
    const [after] = await cloud.endpoints();
    expect(new Set(after?.event_types)).toEqual(new Set([...EVENTS, "batch.completed"]));
  });
});

async function soon(): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return false;
}

// A busy machine may drop a connection; then it is sent again, as OpenAI would.
async function accepted(ids: string[]): Promise<void> {
  for (;;) {
    const good = (await cloud.deliveries()).filter(({ status }) => status === 200);
    const arrived = new Set(good.map(({ response_id }) => response_id));
    if (ids.every((id) => arrived.has(id))) return;
    await soon();
  }
}

test("a rotation loses no webhook that arrives meanwhile", async () => {
  await cloud.run();
  const { OPENAI_WEBHOOK_SECRET: before } = cloud.secrets();
  const rotation = cloud.run({ rotate: true });
  const over = rotation.then(() => true);
  let sent = 0;
  do await cloud.send(`resp_${(sent += 1)}`);
  while (!(await Promise.race([over, soon()])));
  expect((await rotation).failed).toBeNull();
  expect(cloud.secrets()["OPENAI_WEBHOOK_SECRET"]).not.toBe(before);
  await cloud.send("resp_last");
  const wanted = Array.from({ length: sent }, (_, index) => `resp_${index + 1}`);
  await accepted([...wanted, "resp_last"]);
  const refused = (await cloud.deliveries()).filter(
    ({ status }) => status !== null && status >= 300,
  );
  expect(refused).toEqual([]);
});

const ENDPOINTS = "^/v1/webhook_endpoints";
const api = (rule: object) => () => cloud.fault({ kind: "status", status: 500, ...rule });
const wrangler =
  (command: string, times = 1) =>
  async () =>
    cloud.fail(command, times);

describe.each([
  { step: "Look at what is there", why: "OpenAI refuses the key", spoil: api({ status: 401 }) },
  { step: "Look at what is there", why: "wrangler can't list", spoil: wrangler("secret list") },
  { step: "Look at what is there", why: "it can't log in", spoil: loggedOut },
  { step: "Deploy the Worker", why: "wrangler can't deploy", spoil: wrangler("deploy") },
  {
    step: "Store the key",
    why: "wrangler can't store them",
    spoil: wrangler("secret bulk OPENAI_API_KEY ACCESS_TOKEN"),
  },
  {
    step: "Register the webhook endpoint",
    why: "OpenAI fails",
    spoil: api({ method: "POST", path: `${ENDPOINTS}$` }),
  },
  {
    step: "Register the webhook endpoint",
    why: "OpenAI's answer is lost",
    spoil: api({ method: "POST", path: `${ENDPOINTS}$`, carry_out: true }),
  },
  {
    step: "Store its signing secret",
    why: "wrangler fails each time",
    spoil: wrangler("secret bulk OPENAI_WEBHOOK_SECRET", 3),
  },
  { step: "Send a test event", why: "OpenAI fails", spoil: api({ path: "/test$" }) },
  { step: "Check /health", why: "the Worker isn't well", spoil: async () => cloud.sicken() },
])("when $step fails because $why", ({ step, spoil }) => {
  test("it says what is done, what is not and how to go on, and the next run finishes", async () => {
    await spoil();
    const first = await cloud.run();
    expect(first.failed).toMatch(
      new RegExp(`Failed: ${step}[\\s\\S]*Done:[\\s\\S]*Not done:\\n  ${step}`),
    );
    expect(first.failed).toMatch(/Go on: .*run npm run deploy/);
    for (const secret of secretsSoFar()) expect(first.failed).not.toContain(secret);
    const second = await cloud.run();
    expect(second.failed).toBeNull();
    await expectToWork();
  });
});

async function loggedOut(): Promise<void> {
  cloud.fail("whoami --json", 1);
  const failing = cloud.run;
  // Once without a terminal, where it can't log in.
  cloud.run = (wishes, env) => {
    cloud.run = failing;
    return failing(wishes, { ACCESS_TOKEN: TOKEN, ...env }, false);
  };
}

test("a signing secret that could not be stored during a rotation is replaced by a newer one", async () => {
  await cloud.run();
  cloud.fail("secret bulk OPENAI_WEBHOOK_SECRET", 3);
  expect((await cloud.run({ rotate: true })).failed).toMatch(/--rotate again/);
  await expectToWork();
  expect((await cloud.run({ rotate: true })).failed).toBeNull();
  await expectToWork();
});

function environment(): Record<string, string> {
  return {
    ...cloud.environment,
    DEPLOY_WRANGLER: WRANGLER,
    DEPLOY_API: cloud.api,
    OPENAI_API_KEY: KEY,
  };
}

describe("the command", () => {
  const command = [process.execPath, "scripts/deploy.ts"];

  test("deploys, and shows no secret", async () => {
    const child = startChild(command, { ...environment(), ACCESS_TOKEN: TOKEN });
    expect(await child.waitForExit()).toBe(0);
    await expectToWork();
    expect(child.output()).toContain("The recorder works.");
    for (const secret of secretsSoFar()) expect(child.output()).not.toContain(secret);
  });

  test("makes no token that nobody would see", async () => {
    const child = startChild(command, environment());
    expect(await child.waitForExit()).toBe(1);
    expect(child.output()).toMatch(/ACCESS_TOKEN is missing/);
    expect(cloud.secrets()).toEqual({});
  });

  test("only deploys in Cloudflare's build, and says what is left to do", async () => {
    const child = startChild(command, {
      ...environment(),
      WORKERS_CI: "1",
      WRANGLER_OUTPUT_FILE_PATH: "/dev/null",
    });
    expect(await child.waitForExit()).toBe(0);
    expect(commands()).toEqual(["deploy"]);
    expect(child.output()).toMatch(/run npm run deploy/);
  });
});
