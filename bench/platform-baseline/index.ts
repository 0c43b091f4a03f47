// What the platform itself can do, with nothing of the recorder's in it.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";

type Env = {
  OPENAI_WEBHOOK_SECRET: string;
  STORE: KVNamespace;
  EMPTY: Workflow;
  SAME: Workflow;
};

/** A Workflow that has nothing to do. */
export class Empty extends WorkflowEntrypoint<Env> {
  override async run(): Promise<null> {
    return null;
  }
}

/** The same steps and writes as a recorded response without calls, and nothing else in them. */
export class Same extends WorkflowEntrypoint<Env> {
  override async run({ instanceId }: WorkflowEvent<unknown>, step: WorkflowStep): Promise<null> {
    const put = (what: string) => async () => this.env.STORE.put(`${what}:${instanceId}`, "x");
    await step.do("list as in flight", put("index"));
    await step.waitForEvent("wait", { type: "webhook", timeout: "2 minutes" });
    await step.do("look", put("record"));
    await step.do("list", put("index"));
    return null;
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const [, what = "", id = ""] = new URL(request.url).pathname.split("/");
    const answer = await ROUTES[what]?.(env, id, request);
    return answer ?? new Response(null, { status: 404 });
  },
} satisfies ExportedHandler<Env>;

const ROUTES: Record<string, (env: Env, id: string, request: Request) => Promise<Response>> = {
  async webhook(env, _, request) {
    const ok = await verifies(request.headers, await request.text(), env.OPENAI_WEBHOOK_SECRET);
    return new Response(null, { status: ok ? 200 : 400 });
  },
  async wake(env, id, request) {
    const ok = await verifies(request.headers, await request.text(), env.OPENAI_WEBHOOK_SECRET);
    if (!ok) return new Response(null, { status: 400 });
    const instance = await env.SAME.get(id);
    await instance.sendEvent({ type: "webhook", payload: {} });
    return new Response();
  },
  async begin(env, id) {
    await env.SAME.create({ id });
    return new Response();
  },
  async put(env, id) {
    await env.STORE.put(id, "x".repeat(2_000));
    return new Response();
  },
  async empty(env, id) {
    await env.EMPTY.create({ id });
    return new Response();
  },
  async same(env, id) {
    const instance = await env.SAME.create({ id });
    await instance.sendEvent({ type: "webhook", payload: {} });
    return new Response();
  },
};

async function verifies(headers: Headers, body: string, secret: string): Promise<boolean> {
  const [, given = ""] = (headers.get("webhook-signature") ?? "").split(",");
  const signed = `${headers.get("webhook-id")}.${headers.get("webhook-timestamp")}.${body}`;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const bytes = bytesOf(secret.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"]);
  const text = new TextEncoder().encode(signed);
  return crypto.subtle.verify("HMAC", key, bytesOf(given), text);
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
