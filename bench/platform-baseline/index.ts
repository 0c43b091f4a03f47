// A Worker with as little code as possible: it measures what the platform alone takes.
import { DurableObject } from "cloudflare:workers";

type Env = {
  OPENAI_WEBHOOK_SECRET: string;
  STORE: KVNamespace;
  OBJECT: DurableObjectNamespace<BaselineObject>;
};

const VALUE_BYTES = 2_000;
const VALUE = "x".repeat(VALUE_BYTES);
const DAY_MS = 24 * 60 * 60 * 1000;

/** An object that stores rows and sets alarms. */
export class BaselineObject extends DurableObject<Env> {
  /** Writes so many rows in one block, and sets the alarm where a response would. */
  write(rows: number, setsAlarm: boolean): void {
    for (let row = 0; row < rows; row += 1) this.ctx.storage.kv.put(`row${row}`, VALUE);
    if (setsAlarm) void this.ctx.storage.setAlarm(Date.now() + DAY_MS);
  }

  override alarm(): void {
    this.ctx.storage.kv.delete("row0");
  }

  /** Writes one value to KV, as the copy of a record. */
  async copy(id: string): Promise<void> {
    await this.env.STORE.put(id, VALUE);
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const [, route = "", id = ""] = new URL(request.url).pathname.split("/");
    const answer = await ROUTES[route]?.(env, id, request);
    return answer ?? new Response(null, { status: 404 });
  },
} satisfies ExportedHandler<Env>;

const ROUTES: Record<string, (env: Env, id: string, request: Request) => Promise<Response>> = {
  /** Verifies a webhook. */
  async webhook(env, _, request) {
    return new Response(null, { status: (await hasValidSignature(env, request)) ? 200 : 400 });
  },
  /** Verifies a webhook, and has an object store a row: the least that a durable answer needs. */
  async "store-webhook"(env, id, request) {
    if (!(await hasValidSignature(env, request))) return new Response(null, { status: 400 });
    await getObject(env, id).write(1, false);
    return new Response();
  },
  /** Writes one value to KV. */
  async put(env, id) {
    await env.STORE.put(id, VALUE);
    return new Response();
  },
  /** Calls a new object that stores one row. */
  async "one-row"(env, id) {
    await getObject(env, id).write(1, false);
    return new Response();
  },
  /** As many calls, rows and writes as a response without calls takes until it is settled, and no other work. */
  async equivalent(env, id) {
    const run = getObject(env, id);
    const list = getObject(env, "list");
    await run.write(1, true);
    await list.write(3, false);
    await run.write(2, false);
    await run.copy(id);
    await list.write(2, false);
    await run.write(1, true);
    return new Response();
  },
};

function getObject(env: Env, name: string): DurableObjectStub<BaselineObject> {
  return env.OBJECT.get(env.OBJECT.idFromName(name));
}

// https://www.standardwebhooks.com
async function hasValidSignature(env: Env, request: Request): Promise<boolean> {
  const { headers } = request;
  const [, signature = ""] = (headers.get("webhook-signature") ?? "").split(",");
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${await request.text()}`);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = decodeBase64(env.OPENAI_WEBHOOK_SECRET.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, decodeBase64(signature), signed);
}

function decodeBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
