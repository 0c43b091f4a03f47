// The recorder's health: which settings are in place, and for a caller with a token whether what they lead to works.
import type { Context } from "hono";
import { version } from "../../../package.json";
import {
  checkNotifications,
  checkPending,
  checkWebhooks,
  failed,
  passed,
  type HealthCheck,
  type HealthChecks,
} from "../../api/answers/health.ts";
import { HealthQuery, parseQuery } from "../../api/queries.ts";
import type { Health } from "../../api/schemas.ts";
import { ACCESS_TOKEN, settingsInPlace } from "../../config.ts";
import { withTimeout } from "../../lib/retry.ts";
import { log } from "../../log.ts";
import { readCatalogHealth } from "../../objects/catalog/client.ts";
import type { CatalogHealth } from "../../objects/catalog/health.ts";
import { findRun } from "../../objects/recorder/client.ts";
import { errorMessage } from "../../openai/api-failure.ts";
import { fetchContainer, retrieveResponse } from "../../openai/client.ts";
import { toProblem } from "../../openai/to-problem.ts";
import { tryKv } from "../../storage/kv.ts";
import { identifyVisitor, unauthorized, type App } from "../middleware/auth.ts";
import { wantsHtml } from "../wants-html.ts";

/** All checks run at the same time. */
const CHECK_MS = 10_000;
/** Ids that nothing has: OpenAI answers 404 when it accepts the key. */
const NO_RESPONSE = "resp_health_check";
const NO_CONTAINER = "cntr_health_check";

/**
 * Which settings are in place. With `deep`, and for a browser that is logged in, also what the checks found.
 * @throws Problem 401 for `deep` without a token.
 */
export async function readHealth(c: Context<App>): Promise<Health> {
  const { deep } = parseQuery(HealthQuery, c.req.query());
  const settings = settingsInPlace(c.env);
  const isDeep = deep !== undefined || wantsHtml(c);
  const access = isDeep ? await identifyVisitor(c) : null;
  if (deep !== undefined && access === null && settings[ACCESS_TOKEN.name]) throw unauthorized();
  const isInPlace = Object.values(settings).every(Boolean);
  if (access === null) return { ready: isInPlace, version, settings };
  const checks = await checkEverything(c.env);
  const failures = Object.entries(checks).flatMap(([name, { ok }]) => (ok ? [] : [name]));
  const ready = isInPlace && failures.length === 0;
  log("health", { outcome: ready ? "ready" : "failed", failed: failures.join(" ") });
  return { ready, version, settings, checks };
}

async function checkEverything(env: Env): Promise<HealthChecks> {
  const catalog = readCatalogHealth(env);
  const isNotified = "NOTIFY_URL" in settingsInPlace(env);
  const judge = (check: (health: CatalogHealth, nowMs: number) => HealthCheck) =>
    runCheck(async () => check(await catalog, Date.now()));
  const [openai_key, openai_containers, kv, objects, webhooks, pending, notifications] =
    await Promise.all([
      checkOpenAI("OpenAI accepts the key.", (signal) =>
        retrieveResponse(env, NO_RESPONSE, [], signal),
      ),
      checkOpenAI("OpenAI lets the key read containers.", (signal) =>
        fetchContainer(env, [NO_CONTAINER], signal),
      ),
      runCheck(async () => {
        await tryKv(env);
        return passed("KV can be read.");
      }),
      runCheck(async () => {
        await Promise.all([catalog, findRun(env, NO_RESPONSE)]);
        return passed("The Catalog and a Recorder answered.");
      }),
      judge(({ recent }, nowMs) => checkWebhooks(recent, nowMs)),
      judge(checkPending),
      judge((health) => checkNotifications(health, isNotified)),
    ]);
  return { openai_key, openai_containers, kv, objects, webhooks, pending, notifications };
}

function checkOpenAI(
  success: string,
  ask: (signal: AbortSignal) => Promise<Response>,
): Promise<HealthCheck> {
  return runCheck(async (signal) => {
    try {
      await (await ask(signal)).body?.cancel();
    } catch (error) {
      // A refusal of what was asked for, such as 404, comes after the key was accepted.
      const { status, message } = toProblem(error);
      return status >= 500 ? failed(message) : passed(success);
    }
    return failed("Something else than OpenAI's API answered. Check OPENAI_BASE_URL.");
  });
}

async function runCheck(work: (signal: AbortSignal) => Promise<HealthCheck>): Promise<HealthCheck> {
  try {
    const late = failed(`No answer came within ${CHECK_MS / 1000} s. Try again.`);
    return await withTimeout(work(AbortSignal.timeout(CHECK_MS)), CHECK_MS, late);
  } catch (error) {
    return failed(`It failed: ${errorMessage(error)}. Try again, and search the log.`);
  }
}
