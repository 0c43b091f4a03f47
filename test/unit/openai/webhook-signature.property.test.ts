import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Problem } from "../../../src/errors.ts";
import { verifyWebhook } from "../../../src/openai/webhook-signature.ts";
import { signWebhook } from "../../support/sign-webhook.ts";
import { WEBHOOK_SECRET } from "../../support/credentials.ts";
import { runs } from "../../support/property-runs.ts";

const asciiText = fc.string({ unit: "grapheme-ascii" }).map((value) => value.trim());
const now = String(Math.floor(Date.now() / 1000));
const headerValue = fc.oneof(
  asciiText,
  fc.constantFrom("", "v1,", "v1", ",", "v1,AAAA", "v1,=", "v2,AAAA v1,AAAA", " ", "NaN", "1e309"),
  fc.constantFrom(now, `-${now}`, `${now}.5`, "0", "99999999999999999999"),
  fc.base64String().map((value) => `v1,${value}`),
);

const headerValues = fc.array(headerValue, { minLength: 3, maxLength: 3 });
const wellFormed = fc.string({ unit: "binary" }).filter((one) => one.isWellFormed());
const bodies = fc.oneof(fc.json(), wellFormed);

test("verifyWebhook rejects made-up signatures with 400", async () => {
  await fc.assert(fc.asyncProperty(fc.string(), headerValues, rejectsMadeUp), runs(200));
});

async function rejectsMadeUp(
  body: string,
  [id = "", at = "", signature = ""]: string[],
): Promise<void> {
  const headers = new Headers({
    "webhook-id": id,
    "webhook-timestamp": at,
    "webhook-signature": signature,
  });
  expect(await verify(body, headers)).toBe(400);
}

test("verifyWebhook accepts a valid signature of any JSON, and rejects that of anything else with 400", async () => {
  await fc.assert(fc.asyncProperty(bodies, acceptsSignedJson), runs(100));
});

async function acceptsSignedJson(body: string): Promise<void> {
  const headers = new Headers(signWebhook(body, WEBHOOK_SECRET));
  expect(await verify(body, headers)).toBe(isJson(body) ? 200 : 400);
}

test("verifyWebhook rejects the signature of another body with 400", async () => {
  await fc.assert(fc.asyncProperty(bodies, bodies, rejectsSignatureOfOther), runs(100));
});

async function rejectsSignatureOfOther(body: string, other: string): Promise<void> {
  fc.pre(body !== other);
  expect(await verify(other, new Headers(signWebhook(body, WEBHOOK_SECRET)))).toBe(400);
}

/** The status of POST /webhook with this outcome. */
async function verify(body: string, headers: Headers): Promise<number> {
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
