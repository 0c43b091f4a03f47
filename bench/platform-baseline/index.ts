// A Worker with as little code as possible: it measures what the platform alone takes.
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";

type Env = {
  OPENAI_WEBHOOK_SECRET: string;
  STORE: KVNamespace;
  EMPTY: Workflow;
  EQUIVALENT: Workflow;
};

const VALUE_BYTES = 2_000;

/** A Workflow without a step. */
export class EmptyWorkflow extends WorkflowEntrypoint<Env> {
  override async run(): Promise<null> {
    return null;
  }
}

/** A Workflow with as many steps and writes as a recorded response without calls takes, and no other work. */
export class EquivalentWorkflow extends WorkflowEntrypoint<Env> {
  override async run({ instanceId }: WorkflowEvent<unknown>, step: WorkflowStep): Promise<null> {
    const put = (prefix: string) => async () => this.env.STORE.put(`${prefix}:${instanceId}`, "x");
    await step.do("list as in flight", put("index"));
    await step.waitForEvent("wait", { type: "webhook", timeout: "2 minutes" });
    await step.do("observe", put("record"));
    await step.do("list", put("index"));
    return null;
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
  /** Verifies a webhook, and sends an event to the instance that waits for it. */
  async "send-event"(env, id, request) {
    if (!(await hasValidSignature(env, request))) return new Response(null, { status: 400 });
    const instance = await env.EQUIVALENT.get(id);
    await instance.sendEvent({ type: "webhook", payload: {} });
    return new Response();
  },
  /** Creates an instance that waits for its event. */
  async "create-waiting"(env, id) {
    await env.EQUIVALENT.create({ id });
    return new Response();
  },
  /** Writes one value to KV. */
  async put(env, id) {
    await env.STORE.put(id, "x".repeat(VALUE_BYTES));
    return new Response();
  },
  /** Creates an instance without a step. */
  async empty(env, id) {
    await env.EMPTY.create({ id });
    return new Response();
  },
  /** Creates an instance, and sends the event that it waits for. */
  async equivalent(env, id) {
    const instance = await env.EQUIVALENT.create({ id });
    await instance.sendEvent({ type: "webhook", payload: {} });
    return new Response();
  },
};

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
