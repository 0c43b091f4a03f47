// The form in which wrangler uploads a Worker.
import { z } from "zod";

const Binding = z.looseObject({ name: z.string(), type: z.string() });
const Metadata = z.object({
  main_module: z.string(),
  bindings: z.array(Binding),
  compatibility_date: z.string().optional(),
  compatibility_flags: z.array(z.string()).optional(),
  migrations: z
    .object({ new_tag: z.string(), steps: z.array(z.record(z.string(), z.unknown())) })
    .optional(),
});

export type Binding = z.infer<typeof Binding>;

export type Upload = {
  main: string;
  /** The modules' bytes, by name. */
  modules: Map<string, Uint8Array>;
  bindings: Binding[];
  secrets: Record<string, string>;
  compatibilityDate: string | undefined;
  compatibilityFlags: string[];
  migrationTag: string | undefined;
};

/** Reads an upload. Source maps are left out. */
export async function parseUpload(form: FormData): Promise<Upload> {
  const metadata = Metadata.parse(JSON.parse(await readPart(form, "metadata")));
  const modules = new Map<string, Uint8Array>();
  for (const part of form.values()) {
    if (typeof part === "string" || part.name.endsWith(".map")) continue;
    modules.set(part.name, await part.bytes());
  }
  const secrets = metadata.bindings.filter(isSecret);
  return {
    main: metadata.main_module,
    modules,
    bindings: metadata.bindings.filter((binding) => !isSecret(binding)),
    secrets: Object.fromEntries(secrets.map(({ name, text }) => [name, String(text)])),
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags ?? [],
    migrationTag: metadata.migrations?.new_tag,
  };
}

async function readPart(form: FormData, name: string): Promise<string> {
  const part = form.get(name);
  if (part === null) throw new Error(`The upload has no part ${name}.`);
  return typeof part === "string" ? part : part.text();
}

function isSecret({ type }: Binding): boolean {
  return type === "secret_text";
}
