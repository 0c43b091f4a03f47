// What users meet beyond the first deploy into an empty account.
import { afterEach, describe, expect, test } from "vitest";
import { readCodeBlocks } from "../../support/code-blocks.ts";
import { createScript } from "../../support/cloudflare/account.ts";
import {
  getRecordsId,
  NAME,
  startDeployedWorld,
  startDeployWorld,
  WORKER_URL,
  type DeployWorld,
} from "../../support/cloudflare/deploy-world.ts";

const UPLOAD_REFUSED = { status: 400, code: 10_021, message: "Script startup timed out." } as const;
const NO_PERMISSION = { status: 403, code: 10_000, message: "Authentication error" } as const;

let world: DeployWorld;
afterEach(() => world.close());

function rename(name: string): void {
  world.editConfig((text) => text.replace(`name = "${NAME}"`, `name = "${name}"`));
}

function getDeployedId(name = NAME): string | undefined {
  return world.account.scripts.get(name)?.deployed[0];
}

describe("two Workers in one account", () => {
  test("npm run deploy refuses to replace another program of the same name, and says which line to change", async () => {
    world = await startDeployWorld();
    const other = createScript();
    other.secrets["DATABASE_URL"] = "postgres://…";
    world.account.scripts.set(NAME, other);
    const { error } = await world.deploy();
    expect(error).toContain("is no recorder");
    expect(error).toContain(`name = "${NAME}-2"`);
    expect(other.versions).toEqual([]);
    expect(await world.endpoints()).toEqual([]);
  });

  test("npm run deploy refuses to replace the recorder of another project, unless --new-key says so", async () => {
    world = await startDeployedWorld();
    const before = { deployed: getDeployedId(), secrets: world.secrets() };
    await world.deleteEndpoints();
    const { error } = await world.deploy();
    expect(error).toContain("another project");
    expect(error).toContain(`name = "${NAME}-2"`);
    expect({ deployed: getDeployedId(), secrets: world.secrets() }).toEqual(before);
    expect((await world.deploy({ newKey: true })).error).toBeNull();
    expect(await world.endpoints()).toMatchObject([{ url: `${WORKER_URL}/webhook` }]);
  });

  test("a second recorder with another name has a namespace of its own, and changes nothing of the first", async () => {
    world = await startDeployedWorld();
    const before = structuredClone(world.account.scripts.get(NAME));
    rename(`${NAME}-2`);
    const { error, printed } = await world.deploy();
    expect(error).toBeNull();
    expect(printed).toContain(`OpenAI also sends to ${WORKER_URL}/webhook`);
    expect(world.account.scripts.get(NAME)).toEqual(before);
    const second = world.account.scripts.get(`${NAME}-2`);
    expect(getRecordsId(second)).not.toBe(getRecordsId(before));
    const hosts = (await world.endpoints()).map(({ url }) => new URL(url).host);
    const names = [NAME, `${NAME}-2`];
    expect(new Set(hosts)).toEqual(new Set(names.map((name) => `${name}.acme.workers.dev`)));
  });
});

describe("a namespace that is there already", () => {
  test("npm run deploy takes the namespace that a refused upload left behind", async () => {
    world = await startDeployWorld();
    const path = new RegExp(`/workers/scripts/${NAME}$`);
    world.fail({ method: "PUT", path, ...UPLOAD_REFUSED });
    expect((await world.deploy()).error).toContain("Script startup timed out.");
    const [left] = world.account.namespaces;
    expect((await world.deploy()).error).toBeNull();
    expect(world.account.namespaces).toEqual([left]);
    expect(getRecordsId(world.account.scripts.get(NAME))).toBe(left?.id);
  });

  test("npm run deploy after wrangler delete takes the namespace that it left behind", async () => {
    world = await startDeployedWorld();
    world.account.scripts.delete(NAME);
    const [left] = world.account.namespaces;
    expect((await world.deploy()).error).toBeNull();
    expect(getRecordsId(world.account.scripts.get(NAME))).toBe(left?.id);
  });

  test("npm run deploy keeps the Worker's namespace when Cloudflare doesn't tell wrangler the Worker's settings", async () => {
    world = await startDeployedWorld();
    const id = getRecordsId(world.account.scripts.get(NAME));
    world.fail({ path: /\/settings$/, status: 503, times: 9 });
    expect((await world.deploy()).error).toBeNull();
    expect(getRecordsId(world.account.scripts.get(NAME))).toBe(id);
  });

  test("npm run deploy takes the namespace whose id wrangler.toml has", async () => {
    world = await startDeployedWorld();
    const id = getRecordsId(world.account.scripts.get(NAME));
    rename("runs");
    world.editConfig((text) =>
      text.replace('binding = "RECORDS"', `binding = "RECORDS"\nid = "${String(id)}"`),
    );
    expect((await world.deploy()).error).toBeNull();
    expect(getRecordsId(world.account.scripts.get("runs"))).toBe(id);
    expect(world.account.namespaces).toHaveLength(1);
  });
});

describe("credentials and accounts", () => {
  test("npm run deploy works behind a proxy, of which wrangler warns", async () => {
    world = await startDeployedWorld();
    const env = { HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1" };
    const { error } = await world.deploy({}, { env });
    expect(error).toBeNull();
  });

  test("npm run deploy works with a token that may edit this Worker alone", async () => {
    world = await startDeployedWorld();
    const path = /^\/(accounts|memberships|user.*)$|\/storage\/kv\//;
    world.fail({ path, ...NO_PERMISSION, times: Infinity });
    const { error } = await world.deploy({}, { isInteractive: false });
    expect(error).toBeNull();
  });

  test("npm run deploy shows what Cloudflare says of a token that may do nothing", async () => {
    world = await startDeployWorld();
    world.fail({ path: /./, ...NO_PERMISSION, times: Infinity });
    const { error } = await world.deploy();
    expect(error).toContain("Authentication error");
    expect(error).not.toContain("not logged in");
  });

  test("npm run deploy asks in a terminal once which of several accounts it is for", async () => {
    world = await startDeployWorld();
    const second = world.addAccount("globex", "Globex");
    const env = { CLOUDFLARE_ACCOUNT_ID: undefined };
    const { error, asked } = await world.deploy({}, { env, answers: ["2"] });
    expect(error).toBeNull();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain("2  Globex (globex)");
    expect([...second.scripts.keys()]).toEqual([NAME]);
    expect(world.account.scripts.size).toBe(0);
  });
});

test("npm run deploy shows a new token although Cloudflare's answer to storing it is lost", async () => {
  world = await startDeployWorld();
  world.fail({ path: /secrets-bulk$/, status: 502, carriedOut: true, times: 3 });
  const { error, printed } = await world.deploy();
  expect(error).toMatch(/Failed: Store the secrets/);
  const { ACCESS_TOKEN: token = "none" } = world.secrets();
  expect(printed).toContain(token);
  expect((await world.deploy()).error).toBeNull();
  expect(world.secrets()["ACCESS_TOKEN"]).toBe(token);
});

const STAGING =
  readCodeBlocks("docs/deploy.md").find(({ language }) => language === "toml")?.text ?? "";

describe("--env", () => {
  const env = { CLOUDFLARE_ENV: "staging" };

  test("npm run deploy -- --env staging deploys the environment of docs/deploy.md, with a namespace of its own", async () => {
    world = await startDeployedWorld();
    world.editConfig((text) => `${text}\n${STAGING}`);
    const before = structuredClone(world.account.scripts.get(NAME));
    expect((await world.deploy({}, { env })).error).toBeNull();
    expect(world.account.scripts.get(NAME)).toEqual(before);
    const staging = world.account.scripts.get(`${NAME}-staging`);
    expect(getRecordsId(staging)).not.toBe(getRecordsId(before));
  });

  test("npm run deploy -- --env staging names what wrangler.toml lacks for it", async () => {
    world = await startDeployWorld();
    expect((await world.deploy({}, { env })).error).toContain("no [env.staging]");
    const [withoutVars] = STAGING.split("[env.staging.vars]");
    world.editConfig((text) => `${text}\n${withoutVars}`);
    expect((await world.deploy({}, { env })).error).toMatch(/lacks OPENAI_BASE_URL, .*HOLD/);
    expect(world.account.scripts.size).toBe(0);
  });
});

test("npm run deploy says that Cloudflare Access stands in front of the Worker", async () => {
  world = await startDeployedWorld();
  world.protect();
  const { error } = await world.deploy();
  expect(error).toContain("/webhook answered 302");
  expect(error).toContain("Cloudflare Access");
});

test("npm run deploy without a terminal says that it overwrites a change in Cloudflare's dashboard", async () => {
  world = await startDeployedWorld();
  const script = world.account.scripts.get(NAME);
  const hold = script?.versions[0]?.bindings.find(({ name }) => name === "HOLD");
  Object.assign(script ?? {}, { changedBy: "dash" });
  Object.assign(hold ?? {}, { text: "off" });
  const before = getDeployedId();
  const { error, printed } = await world.deploy({}, { isInteractive: false });
  expect(error).toBeNull();
  expect(printed).toMatch(/differs from the remote configuration[\s\S]*Dashboard/);
  expect(getDeployedId()).not.toBe(before);
});

test("Cloudflare's build deploys the Worker, and says only until the endpoint is registered that it is missing", async () => {
  world = await startDeployWorld();
  expect(await world.deployInBuild()).toContain("run npm run deploy");
  await world.close();
  world = await startDeployedWorld();
  expect(await world.deployInBuild()).toContain("has the signing secret");
});
