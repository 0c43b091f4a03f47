// What Cloudflare has of an account, as far as a deploy of the recorder needs it.
import { randomUUID } from "node:crypto";
import type { Upload } from "./upload.ts";

export type Namespace = { id: string; title: string };

/** One upload of a Worker's code. Bindings that were inherited are resolved. */
export type Version = Upload & { id: string };

export type Script = {
  /** Oldest first. A draft, which only has secrets, has none. */
  versions: Version[];
  /** The versions that were deployed, newest first. */
  deployed: string[];
  secrets: Record<string, string>;
  migrationTag: string | null;
  /** Whether it is served at workers.dev. */
  onWorkersDev: boolean;
  /** Patterns and custom domains. */
  routes: string[];
  schedules: string[];
  /** Where the last change was made: the dashboard, or wrangler. */
  changedBy: "dash" | "wrangler";
};

export type Account = {
  id: string;
  name: string;
  /** The account's name below workers.dev; null while none is registered. */
  subdomain: string | null;
  namespaces: Namespace[];
  scripts: Map<string, Script>;
};

/** Creates an account without Workers. */
export function createAccount(id: string, name: string): Account {
  return { id, name, subdomain: id, namespaces: [], scripts: new Map() };
}

/** Creates a Worker without code. */
export function createScript(): Script {
  return {
    versions: [],
    deployed: [],
    secrets: {},
    migrationTag: null,
    onWorkersDev: false,
    routes: [],
    schedules: [],
    changedBy: "wrangler",
  };
}

/**
 * Adds an upload to a Worker.
 * @returns The new version.
 */
export function addVersion(script: Script, upload: Upload): Version {
  const before = getDeployedVersion(script);
  const bindings = upload.bindings.map((binding) => {
    if (binding.type !== "inherit") return binding;
    const inherited = before?.bindings.find(({ name }) => name === binding.name);
    if (inherited === undefined) throw new Error(`Nothing to inherit for ${binding.name}.`);
    return inherited;
  });
  const version = { ...upload, bindings, id: randomUUID() };
  script.versions.push(version);
  Object.assign(script.secrets, upload.secrets);
  script.migrationTag = upload.migrationTag ?? script.migrationTag;
  return version;
}

/** Gives the version that serves requests. */
export function getDeployedVersion(script: Script): Version | undefined {
  return script.versions.find(({ id }) => id === script.deployed[0]);
}

/** Makes a version serve requests. */
export function deployVersion(script: Script, id: string): void {
  script.deployed.unshift(id);
  script.changedBy = "wrangler";
}

/** Gives a Worker's bindings as Cloudflare shows them: secrets without their values. */
export function listBindings(script: Script, version: Version | undefined): object[] {
  const secrets = Object.keys(script.secrets).map((name) => ({ name, type: "secret_text" }));
  return [...(version?.bindings ?? []), ...secrets];
}
