import { randomBytes } from "node:crypto";
import * as z from "zod";

const nonNegative = z.number().min(0);
const webhookSecret = z.string().startsWith("whsec_");

/** Every setting: its shape, and what `--help` says about it. */
export const Settings = z.strictObject({
  port: z.int().max(65_535).min(0).describe("port to listen on; 0 takes a free one"),
  host: z.string().min(1).describe("address to listen on"),
  apiKey: z
    .string()
    .min(1)
    .nullable()
    .describe("the only key accepted; without one every key will do"),
  webhookUrl: z.url().nullable().describe("where webhooks go; none: nowhere"),
  webhookSecret: webhookSecret.describe("signs webhooks; generated when missing"),
  webhookSecretOld: webhookSecret
    .nullable()
    .describe("signs as well, as while a secret is rotated"),
  webhookDelay: nonNegative.describe("seconds before a webhook is first sent"),
  webhookCopies: z.int().min(1).describe("how often each webhook is sent, even when accepted"),
  webhookDrop: z.boolean().describe("true: webhooks are never sent"),
  webhookBackoff: nonNegative.describe("seconds before the first retry; doubles each time"),
  webhookBackoffMax: nonNegative.describe("the longest gap between retries, in seconds"),
  webhookTimeout: nonNegative.describe("seconds a receiver has to answer"),
  webhookHours: nonNegative.describe("hours after which a webhook is given up"),
  queueSeconds: nonNegative.describe("seconds a background run stays queued"),
  runSeconds: nonNegative.describe("least seconds a run is in progress"),
  executionSeconds: nonNegative.describe("seconds a call's Python may take"),
  backgroundOutputs: z
    .string()
    .regex(/^(empty|present|late:\d+(\.\d+)?)$/)
    .describe("outputs of a background run when retrieved: empty, present or late:SECONDS"),
  streamOutputs: z.enum(["present", "empty"]).describe("outputs in a background run's stream"),
  conversationOutputs: z
    .enum(["present", "empty"])
    .describe("outputs of a background run in its conversation's items"),
  onDisconnect: z
    .enum(["cancel", "complete"])
    .describe("what a foreground run does when its client goes away"),
  containerMinutes: nonNegative.describe("minutes without use after which a container expires"),
  effectiveStore: z.boolean().describe("false: replies say store false, and runs are forgotten"),
  responseMinutes: nonNegative.describe(
    "minutes after its end that a run which isn't stored is kept",
  ),
  latency: nonNegative.describe("milliseconds added to every answer of the API"),
  interpreters: z.int().min(0).describe("Python interpreters kept ready; 0: one, when needed"),
  remembered: z.int().min(1).describe("requests, and deliveries, that are remembered"),
});
export type Settings = z.infer<typeof Settings>;

/** What can't change while the server runs. */
export const IMMUTABLE = { port: true, host: true, interpreters: true } as const;

/** All settings, with a fresh webhook secret; those given replace the defaults. */
export function withDefaults(given: Partial<Settings> = {}): Settings {
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return Settings.parse({ ...defaultSettings(), ...Object.fromEntries(known) });
}

/** The settings nobody has touched. */
export function defaultSettings(): Settings {
  return {
    port: 0,
    host: "127.0.0.1",
    apiKey: null,
    webhookUrl: null,
    webhookSecret: `whsec_${randomBytes(32).toString("base64")}`,
    webhookSecretOld: null,
    webhookDelay: 0,
    webhookCopies: 1,
    webhookDrop: false,
    webhookBackoff: 1,
    webhookBackoffMax: 60,
    webhookTimeout: 10,
    webhookHours: 72,
    queueSeconds: 0.3,
    runSeconds: 0.5,
    executionSeconds: 30,
    backgroundOutputs: "empty",
    streamOutputs: "empty",
    conversationOutputs: "empty",
    onDisconnect: "cancel",
    containerMinutes: 20,
    effectiveStore: true,
    responseMinutes: 10,
    latency: 0,
    interpreters: 2,
    remembered: 10_000,
  };
}
