// Holds every JSON answer that the tests get against the OpenAPI document that the Worker itself gives.
import { z } from "zod";

const Content = z.record(
  z.string(),
  z.object({ schema: z.object({ $ref: z.string() }).optional() }),
);
const Operation = z.object({
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
type Document = z.infer<typeof Document>;

/** Characters above which an answer is not parsed once more. */
const LARGEST = 1024 * 1024;

/** Throws when an answer doesn't fit the contract. */
export type Contract = (method: string, path: string, answer: Response) => Promise<void>;

/**
 * The contract that a Worker gives.
 * @param load Fetches its /openapi.json.
 */
export function contractOf(load: () => Promise<Response>): Contract {
  let loaded: Promise<Document | null> | null = null;
  return async (method, path, answer) => {
    if (!(answer.headers.get("content-type") ?? "").startsWith("application/json")) return;
    loaded ??= load().then(read);
    const document = await loaded;
    if (document === null) return;
    const text = await answer.clone().text();
    const schema = schemaFor(document, method.toLowerCase(), path, answer.status);
    if (schema === null || text.length > LARGEST) return;
    const fits = z.fromJSONSchema(schema).safeParse(JSON.parse(text));
    if (fits.success) return;
    throw new Error(
      `${method} ${path} answered what the contract doesn't say: ${fits.error.message}`,
    );
  };
}

// A Worker that isn't configured gives none.
async function read(answer: Response): Promise<Document | null> {
  return answer.ok ? Document.parse(await answer.json()) : null;
}

function schemaFor(document: Document, method: string, path: string, status: number) {
  const [route] = Object.keys(document.paths).filter((known) => matches(known, path));
  const operation = route === undefined ? undefined : document.paths[route]?.[method];
  if (operation === undefined) return null;
  const answer = operation.responses[String(status)];
  if (answer === undefined) throw new Error(`the contract has no ${status} of ${method} ${route}`);
  const name = answer.content?.["application/json"]?.schema?.$ref.split("/").at(-1) ?? "";
  return document.components.schemas[name] ?? null;
}

function matches(route: string, path: string): boolean {
  const own = path.split("?", 1)[0]?.split("/") ?? [];
  const parts = route.split("/");
  return (
    parts.length === own.length &&
    parts.every((part, index) => part.startsWith("{") || part === own[index])
  );
}
