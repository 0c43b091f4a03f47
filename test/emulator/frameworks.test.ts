/** The frameworks against the emulator alone. */
import { createEmulatorClient } from "../support/emulator-client.ts";
import { describeFrameworks } from "../support/framework-claims.ts";
import { startTestEmulator } from "./setup.ts";

const { url } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  requestChecks: "deep",
  backgroundOutputs: "present",
  streamOutputs: "present",
});

const emulator = createEmulatorClient(url);
describeFrameworks({ baseURL: `${url}/v1`, apiKey: "sk-test", emulator });
