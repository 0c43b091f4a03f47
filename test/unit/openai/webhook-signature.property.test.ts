import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../../../src/errors.ts";
import { verifyWebhook } from "../../../src/openai/webhook-signature.ts";
import { sign } from "../../support/sign.ts";
import { WEBHOOK_SECRET } from "../../support/credentials.ts";
import { runs } from "../../support/property-runs.ts";

const ascii = fc.string({ unit: "grapheme-ascii" }).map((value) => value.trim());
const now = String(Math.floor(Date.now() / 1000));
const odd = fc.oneof(
  ascii,
  fc.constantFrom("", "v1,", "v1", ",", "v1,AAAA", "v1,=", "v2,AAAA v1,AAAA", " ", "NaN", "1e309"),
  fc.constantFrom(now, `-${now}`, `${now}.5`, "0", "99999999999999999999"),
  fc.base64String().map((value) => `v1,${value}`),
);

const values = fc.array(odd, { minLength: 3, maxLength: 3 });
const wellFormed = fc.string({ unit: "binary" }).filter((one) => one.isWellFormed());
const bodies = fc.oneof(fc.json(), wellFormed);

test("no signature that was made up is accepted, and each is refused as a 400", async () => {
  await fc.assert(fc.asyncProperty(fc.string(), values, refuses), runs(200));
});

async function refuses(body: string, [id = "", at = "", signature = ""]: string[]): Promise<void> {
  const headers = new Headers({
    "webhook-id": id,
    "webhook-timestamp": at,
    "webhook-signature": signature,
  });
  expect(await statusOf(body, headers)).toBe(400);
}

test("a true signature of anything is accepted as far as it is JSON", async () => {
  await fc.assert(fc.asyncProperty(bodies, accepts), runs(100));
});

async function accepts(body: string): Promise<void> {
  const headers = new Headers(sign(body, WEBHOOK_SECRET));
  expect(await statusOf(body, headers)).toBe(isJson(body) ? 200 : 400);
}

test("a true signature of one body is none of another", async () => {
  await fc.assert(fc.asyncProperty(bodies, bodies, tellsApart), runs(100));
});

async function tellsApart(body: string, other: string): Promise<void> {
  fc.pre(body !== other);
  expect(await statusOf(other, new Headers(sign(body, WEBHOOK_SECRET)))).toBe(400);
}

async function statusOf(body: string, headers: Headers): Promise<number> {
  try {
    await verifyWebhook(body, headers, ["whsec_b3RoZXI=", WEBHOOK_SECRET]);
    return 200;
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
