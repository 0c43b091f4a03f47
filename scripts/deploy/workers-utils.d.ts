// wrangler's types import this package, which is bundled into wrangler and has no files of its own.
declare module "@cloudflare/workers-utils" {
  /** Reads a configuration as it is written, without defaults. */
  export function experimental_readRawConfig(args: { config: string }): { rawConfig: unknown };
}
