// The Worker's configuration as a deploy needs it, and the copy of it that names the KV namespace.
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { experimental_readRawConfig, unstable_readConfig } from "wrangler";
import { z } from "zod";
import { RECORDS } from "./existing-worker.ts";

export type DeployConfig = {
  /** The path of wrangler.toml. */
  path: string;
  /** The environment of wrangler.toml, if one was chosen. */
  environment: string | undefined;
  /** The Worker's name. */
  name: string;
  /** The account, where wrangler.toml names it. */
  accountId: string | undefined;
  /** The id of the KV namespace, where wrangler.toml has it. */
  recordsId: string | undefined;
};

// wrangler's own types of a configuration come from a package that it doesn't bring.
const Config = z.object({
  name: z.string().optional(),
  account_id: z.string().optional(),
  definedEnvironments: z.array(z.string()).default([]),
  kv_namespaces: z.array(z.object({ binding: z.string(), id: z.string().optional() })),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string() })) }),
  ratelimits: z.array(z.object({ name: z.string() })),
  vars: z.record(z.string(), z.unknown()),
});
const RawEnvironment = z.looseObject({
  kv_namespaces: z.array(z.looseObject({ binding: z.string() })).optional(),
});
const RawConfig = RawEnvironment.extend({
  env: z.record(z.string(), RawEnvironment).optional(),
});

/** The copy stands beside wrangler.toml, because paths in it are relative. */
const COPY_NAME = ".wrangler.deploy.json";

/**
 * Reads wrangler.toml.
 * @param environment The environment to deploy, if not the one at the top level.
 * @throws When the environment is missing, or lacks bindings or variables that the top level has.
 */
export function readDeployConfig(path: string, environment: string | undefined): DeployConfig {
  const top = readConfig(path, undefined);
  if (environment !== undefined && !top.definedEnvironments.includes(environment)) {
    throw new Error(`wrangler.toml has no [env.${environment}]. What it needs: docs/deploy.md.`);
  }
  const config = readConfig(path, environment);
  const present = listBindings(config);
  const missing = listBindings(top).filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `[env.${environment}] of wrangler.toml lacks ${missing.join(", ")}. An environment inherits no binding and no variable: docs/deploy.md.`,
    );
  }
  if (config.name === undefined) throw new Error("wrangler.toml has no name.");
  return {
    path,
    environment,
    name: config.name,
    accountId: config.account_id,
    recordsId: config.kv_namespaces.find(({ binding }) => binding === RECORDS)?.id,
  };
}

function readConfig(config: string, env: string | undefined): z.infer<typeof Config> {
  return Config.parse(unstable_readConfig({ config, env }, { hideWarnings: true }));
}

function listBindings(config: z.infer<typeof Config>): string[] {
  return [
    ...config.kv_namespaces.map(({ binding }) => binding),
    ...config.durable_objects.bindings.map(({ name }) => name),
    ...config.ratelimits.map(({ name }) => name),
    ...Object.keys(config.vars),
  ];
}

/**
 * Runs a function with the path of a configuration that names the KV namespace.
 * @param recordsId The namespace's id; null for the configuration as it is.
 */
export async function withRecordsId<T>(
  { path, environment }: DeployConfig,
  recordsId: string | null,
  run: (path: string) => Promise<T>,
): Promise<T> {
  if (recordsId === null) return run(path);
  const rawConfig = RawConfig.parse(experimental_readRawConfig({ config: path }).rawConfig);
  const section = environment === undefined ? rawConfig : rawConfig.env?.[environment];
  for (const namespace of section?.kv_namespaces ?? []) {
    if (namespace.binding === RECORDS) namespace["id"] = recordsId;
  }
  const copy = join(dirname(path), COPY_NAME);
  writeFileSync(copy, JSON.stringify(rawConfig));
  try {
    return await run(copy);
  } finally {
    rmSync(copy, { force: true });
  }
}
