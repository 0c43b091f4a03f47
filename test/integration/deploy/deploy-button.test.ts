// The files that the Deploy to Cloudflare button reads.
import { readFileSync } from "node:fs";
import { parse } from "node:querystring";
import { expect, test } from "vitest";
import { z } from "zod";

const Package = z.object({
  cloudflare: z.object({
    bindings: z.record(z.string(), z.object({ description: z.string().min(20) })),
  }),
});

function readProjectFile(name: string): string {
  return readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
}

const lines = readProjectFile(".dev.vars.example").split("\n");
const secrets = parse(lines.filter((line) => /^[A-Z]/.test(line)).join("&"));
const { bindings } = Package.parse(JSON.parse(readProjectFile("package.json"))).cloudflare;

test("the button asks for the key and the token, and suggests a value for neither", () => {
  expect({ ...secrets }).toEqual({ OPENAI_API_KEY: "", ACCESS_TOKEN: "" });
});

test("package.json describes every secret, variable and binding, and no other", () => {
  const config = readProjectFile("wrangler.toml");
  const findNames = (pattern: RegExp) => [...config.matchAll(pattern)].map(([, name]) => name);
  const expected = [
    ...Object.keys(secrets),
    "OPENAI_WEBHOOK_SECRET",
    ...findNames(/^([A-Z_]+) = /gm),
    ...findNames(/^binding = "(\w+)"/gm),
    ...findNames(/^name = "([A-Z_]+)"/gm),
  ];
  expect(new Set(Object.keys(bindings))).toEqual(new Set(expected));
});
