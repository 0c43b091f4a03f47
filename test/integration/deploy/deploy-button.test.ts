// What the Deploy to Cloudflare button reads.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "node:querystring";
import { z } from "zod";

const Package = z.object({
  cloudflare: z.object({
    bindings: z.record(z.string(), z.object({ description: z.string().min(20) })),
  }),
});

function read(name: string): string {
  return readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
}

const lines = read(".dev.vars.example").split("\n");
const secrets = parse(lines.filter((line) => /^[A-Z]/.test(line)).join("&"));
const { bindings } = Package.parse(JSON.parse(read("package.json"))).cloudflare;

test("the button asks for the key and the token, and suggests neither", () => {
  expect({ ...secrets }).toEqual({ OPENAI_API_KEY: "", ACCESS_TOKEN: "" });
});

test("every secret, variable and binding is described", () => {
  const config = read("wrangler.toml");
  const variables = [...config.matchAll(/^([A-Z_]+) = /gm)].map(([, name]) => name);
  const others = [...config.matchAll(/^binding = "(\w+)"/gm)].map(([, name]) => name);
  const limits = [...config.matchAll(/^name = "([A-Z_]+)"/gm)].map(([, name]) => name);
  const all = [
    ...Object.keys(secrets),
    "OPENAI_WEBHOOK_SECRET",
    ...variables,
    ...others,
    ...limits,
  ];
  expect(new Set(Object.keys(bindings))).toEqual(new Set(all));
});
