// The frameworks, unchanged but for base URL and key: the same claims hold for OpenAI as it should be and for the Worker.
import { afterAll, describe } from "vitest";
import { describeFrameworks } from "../../support/framework-claims.ts";
import { startTargets } from "./targets.ts";

const targets = await startTargets({ requestChecks: "deep" });
afterAll(() => targets.close());

describe.each(["openai", "worker"] as const)("at %s", (name) => {
  describeFrameworks({ ...targets[name], emulator: targets.emulators[name] });
});
