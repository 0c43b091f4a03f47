// Runs an uploaded Worker in workerd, with the bindings and the secrets that the account has for it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { z } from "zod";
import { getDeployedVersion, type Script, type Version } from "./account.ts";
import type { Binding } from "./upload.ts";

const Text = z.object({ text: z.string() });
const KvBinding = z.object({ namespace_id: z.string() });
const ObjectBinding = z.object({ class_name: z.string() });
const RateLimit = z.object({
  namespace_id: z.string(),
  simple: z.object({ limit: z.number(), period: z.literal([10, 60]) }),
});

/** Runs one Worker, from its first request on. */
export class WorkerRuntime {
  readonly #folder = mkdtempSync(join(tmpdir(), "recorder-uploaded-"));
  readonly #vars: Record<string, string>;
  #harness: TestHarness | undefined;
  #running = "";
  #url: Promise<string> = Promise.resolve("");

  /** @param vars Variables of the Worker that differ from those of its upload. */
  constructor(vars: Record<string, string>) {
    this.#vars = vars;
  }

  /** Gives the address at which the Worker's deployed version answers. */
  getUrl(script: Script): Promise<string> {
    const version = getDeployedVersion(script);
    if (version === undefined) throw new Error("Nothing is deployed.");
    const wanted = JSON.stringify([version.id, script.secrets]);
    if (wanted === this.#running) return this.#url;
    this.#running = wanted;
    const secrets = { ...script.secrets };
    this.#url = this.#url.then(() => this.#start(version, secrets));
    return this.#url;
  }

  async close(): Promise<void> {
    await this.#url.catch(() => undefined);
    await this.#harness?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(version: Version, secrets: Record<string, string>): Promise<string> {
    const configPath = writeProject(join(this.#folder, version.id), version);
    const options = { workers: [{ configPath, vars: this.#vars, secrets }] };
    if (this.#harness === undefined) this.#harness = createTestHarness(options);
    else await this.#harness.update(options);
    return (await this.#harness.listen()).url.origin;
  }
}

function writeProject(folder: string, version: Version): string {
  for (const [name, bytes] of version.modules) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  const path = join(folder, "wrangler.json");
  writeFileSync(path, JSON.stringify(toConfig(version)));
  return path;
}

function toConfig(version: Version): object {
  const select = (type: string) => version.bindings.filter((binding) => binding.type === type);
  const objects = select("durable_object_namespace").map(toObjectBinding);
  return {
    name: "uploaded",
    main: version.main,
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    vars: Object.fromEntries(
      select("plain_text").map((binding) => [binding.name, Text.parse(binding).text]),
    ),
    kv_namespaces: select("kv_namespace").map((binding) => ({
      binding: binding.name,
      id: KvBinding.parse(binding).namespace_id,
    })),
    durable_objects: { bindings: objects },
    migrations: [{ tag: "v1", new_sqlite_classes: objects.map(({ class_name }) => class_name) }],
    ratelimits: select("ratelimit").map((binding) => ({
      name: binding.name,
      ...RateLimit.parse(binding),
    })),
  };
}

function toObjectBinding(binding: Binding): { name: string; class_name: string } {
  return { name: binding.name, ...ObjectBinding.parse(binding) };
}
