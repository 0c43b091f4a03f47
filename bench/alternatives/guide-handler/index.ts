// The webhook handler of OpenAI's guide, as a Worker: it verifies, fetches the response, stores it, and then answers.
// https://platform.openai.com/docs/guides/webhooks
import OpenAI, { InvalidWebhookSignatureError } from "openai";

type Env = {
  OPENAI_API_KEY: string;
  OPENAI_BASE_URL: string;
  OPENAI_WEBHOOK_SECRET: string;
  RESULTS: KVNamespace;
};

export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/webhook") return handleWebhook(request, env);
    const stored = await env.RESULTS.get(pathname.replace("/results/", ""));
    return new Response(stored, { status: stored === null ? 404 : 200 });
  },
} satisfies ExportedHandler<Env>;

async function handleWebhook(request: Request, env: Env): Promise<Response> {
  const client = new OpenAI({
    apiKey: env.OPENAI_API_KEY,
    baseURL: env.OPENAI_BASE_URL,
    webhookSecret: env.OPENAI_WEBHOOK_SECRET,
  });
  try {
    const event = await client.webhooks.unwrap(await request.text(), request.headers);
    if (event.type === "response.completed") {
      const { id } = event.data;
      const response = await client.responses.retrieve(id, {
        include: ["code_interpreter_call.outputs"],
      });
      await env.RESULTS.put(id, JSON.stringify(response));
    }
    return new Response();
  } catch (error) {
    if (!(error instanceof InvalidWebhookSignatureError)) throw error;
    return new Response("Invalid signature", { status: 400 });
  }
}
