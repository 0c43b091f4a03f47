// The part of Cloudflare's API that wrangler uses to deploy a Worker. Every other call succeeds and changes nothing.
import { randomUUID } from "node:crypto";
import { Hono, type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import {
  addVersion,
  createScript,
  deployVersion,
  getDeployedVersion,
  listBindings,
  type Account,
  type Script,
} from "./account.ts";
import { parseUpload } from "./upload.ts";

const WORKER_NOT_FOUND = 10007;
const TITLE_EXISTS = 10014;

const NamespaceParams = z.object({ title: z.string() });
const SecretPatch = z.object({ secrets: z.record(z.string(), z.object({ text: z.string() })) });
const Deployment = z.object({ versions: z.tuple([z.object({ version_id: z.string() })]) });
const Routes = z.array(z.object({ pattern: z.string() }));
const Domains = z.object({ origins: z.array(z.object({ hostname: z.string() })) });
const Schedules = z.array(z.object({ cron: z.string() }));
const Subdomain = z.object({ enabled: z.boolean() });

/** An error in the form of Cloudflare's API. */
export class ApiError extends HTTPException {
  constructor(status: 400 | 403 | 404 | 500 | 502 | 503, code: number, message: string) {
    const body = { success: false, errors: [{ code, message }], messages: [], result: null };
    super(status, { res: Response.json(body, { status }) });
  }
}

/** Creates the API over a user's accounts. */
export function createApi(accounts: Account[]): Hono {
  const app = new Hono();
  app.onError((error) => (error instanceof HTTPException ? error.getResponse() : fail(error)));
  app.get("/accounts", (c) => succeed(c, accounts.map(toListed)));
  app.get("/memberships", (c) => succeed(c, accounts.map(toMembership)));
  app.get("/user", (c) => succeed(c, { id: "user", email: "owner@example.com" }));
  app.get("/user/tokens/verify", (c) => succeed(c, { id: "token", status: "active" }));
  app.get("/zones", (c) => succeed(c, []));
  for (const account of accounts) app.route(`/accounts/${account.id}`, createAccountApi(account));
  app.all("*", (c) => succeed(c, {}));
  return app;
}

function createAccountApi(account: Account): Hono {
  const app = new Hono();
  app.route("/storage/kv/namespaces", createNamespaceApi(account));
  app.route("/workers/scripts/:name", createScriptApi(account));
  app.get("/workers/durable_objects/namespaces", (c) => succeed(c, []));
  app.get("/workers/subdomain", (c) => {
    if (account.subdomain === null) throw new ApiError(404, WORKER_NOT_FOUND, "No subdomain.");
    return succeed(c, { subdomain: account.subdomain });
  });
  app.get("/workers/services/:name", (c) => {
    const { migrationTag, changedBy } = getScript(account, c.req.param("name"));
    const script = { migration_tag: migrationTag, last_deployed_from: changedBy, tags: [] };
    const environment = { environment: "production", script: { tag: "tag", ...script } };
    return succeed(c, { id: c.req.param("name"), default_environment: environment });
  });
  app.get("/workers/services/:name/environments/:environment", (c) => {
    const { changedBy } = getScript(account, c.req.param("name"));
    return succeed(c, { script: { last_deployed_from: changedBy } });
  });
  app.get("/workers/services/:name/environments/:environment/bindings", (c) => {
    const script = getScript(account, c.req.param("name"));
    return succeed(c, listBindings(script, getDeployedVersion(script)));
  });
  app.get("/workers/services/:name/environments/:environment/subdomain", (c) =>
    succeed(c, { enabled: getScript(account, c.req.param("name")).onWorkersDev }),
  );
  app.get("/workers/workers/:name", (c) => {
    const { onWorkersDev } = getScript(account, c.req.param("name"));
    return succeed(c, { subdomain: { enabled: onWorkersDev, previews_enabled: false } });
  });
  app.delete("/workers/services/:name", (c) => {
    account.scripts.delete(c.req.param("name"));
    return succeed(c, null);
  });
  return app;
}

function createNamespaceApi({ namespaces }: Account): Hono {
  const app = new Hono();
  // wrangler asks for one page after another until one is empty.
  app.get("/", (c) => succeed(c, (c.req.query("page") ?? "1") === "1" ? namespaces : []));
  app.post("/", async (c) => {
    const { title } = NamespaceParams.parse(await c.req.json());
    if (namespaces.some((namespace) => namespace.title === title)) {
      const message =
        "create namespace: 'a namespace with this account ID and title already exists'";
      throw new ApiError(400, TITLE_EXISTS, message);
    }
    const namespace = { id: randomUUID().replaceAll("-", ""), title };
    namespaces.push(namespace);
    return succeed(c, namespace);
  });
  return app;
}

function createScriptApi(account: Account): Hono {
  const app = new Hono();
  const get = (c: Context) => getScript(account, String(c.req.param("name")));
  app.get("/settings", (c) => {
    const script = get(c);
    return succeed(c, { bindings: listBindings(script, getDeployedVersion(script)) });
  });
  app.put("/", async (c) => {
    const name = String(c.req.param("name"));
    const upload = await parseUpload(await c.req.formData());
    const script = account.scripts.get(name) ?? createScript();
    const version = addVersion(script, upload);
    account.scripts.set(name, script);
    deployVersion(script, version.id);
    return succeed(c, { id: name, deployment_id: version.id, startup_time_ms: 1 });
  });
  app.get("/versions", (c) => succeed(c, { items: get(c).versions.map(({ id }) => ({ id })) }));
  app.post("/versions", async (c) => {
    const { id } = addVersion(get(c), await parseUpload(await c.req.formData()));
    return succeed(c, { id, startup_time_ms: 1, resources: { script: { etag: id } } });
  });
  app.get("/versions/:id", (c) => {
    const script = get(c);
    const version = script.versions.find(({ id }) => id === c.req.param("id"));
    if (version === undefined) throw new ApiError(404, 10_009, "No such version.");
    const metadata = { created_on: new Date(0).toISOString(), source: script.changedBy };
    const bindings = listBindings(script, version);
    return succeed(c, { id: version.id, metadata, resources: { bindings } });
  });
  app.get("/deployments", (c) => {
    const deployments = get(c).deployed.map((version_id) => ({
      id: version_id,
      source: "wrangler",
      created_on: new Date(0).toISOString(),
      versions: [{ version_id, percentage: 100 }],
    }));
    return succeed(c, { deployments });
  });
  app.post("/deployments", async (c) => {
    const [{ version_id }] = Deployment.parse(await c.req.json()).versions;
    deployVersion(get(c), version_id);
    return succeed(c, { id: version_id });
  });
  // No bucket: Cloudflare has every file already.
  app.post("/assets-upload-session", (c) => succeed(c, { jwt: "assets", buckets: [] }));
  addSecretRoutes(app, get);
  addTriggerRoutes(app, get);
  return app;
}

function addSecretRoutes(app: Hono, get: (c: Context) => Script): void {
  app.get("/secrets", (c) => {
    const names = Object.keys(get(c).secrets);
    return succeed(
      c,
      names.map((name) => ({ name, type: "secret_text" })),
    );
  });
  app.patch("/secrets-bulk", async (c) => {
    const { secrets } = SecretPatch.parse(await c.req.json());
    for (const [name, { text }] of Object.entries(secrets)) get(c).secrets[name] = text;
    return succeed(c, null);
  });
}

function addTriggerRoutes(app: Hono, get: (c: Context) => Script): void {
  app.get("/subdomain", (c) => succeed(c, { enabled: get(c).onWorkersDev }));
  app.post("/subdomain", async (c) => {
    get(c).onWorkersDev = Subdomain.parse(await c.req.json()).enabled;
    return succeed(c, { enabled: get(c).onWorkersDev, previews_enabled: false });
  });
  app.put("/routes", async (c) => {
    get(c).routes = Routes.parse(await c.req.json()).map(({ pattern }) => pattern);
    return succeed(c, []);
  });
  app.put("/domains/records", async (c) => {
    get(c).routes = Domains.parse(await c.req.json()).origins.map(({ hostname }) => hostname);
    return succeed(c, null);
  });
  app.get("/schedules", (c) => succeed(c, { schedules: get(c).schedules }));
  app.put("/schedules", async (c) => {
    get(c).schedules = Schedules.parse(await c.req.json()).map(({ cron }) => cron);
    return succeed(c, { schedules: get(c).schedules });
  });
}

function getScript(account: Account, name: string): Script {
  const script = account.scripts.get(name);
  if (script !== undefined) return script;
  throw new ApiError(404, WORKER_NOT_FOUND, "This Worker does not exist on your account.");
}

function toListed({ id, name }: Account) {
  return { id, name };
}

function toMembership(account: Account) {
  return { id: `membership-${account.id}`, account: toListed(account) };
}

function succeed(c: Context, result: unknown): Response {
  const result_info = Array.isArray(result)
    ? { page: 1, per_page: 100, count: result.length, total_count: result.length, total_pages: 1 }
    : undefined;
  return c.json({ success: true, errors: [], messages: [], result, result_info });
}

function fail(error: unknown): Response {
  return new ApiError(500, 1, `The stand-in failed: ${String(error)}`).getResponse();
}
