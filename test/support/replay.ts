// The events of a background run as the emulator itself replays them.
import type { EmulatorClient } from "./emulator-client.ts";

/**
 * Replays a run's events from the first one.
 * @returns The JSON of each.
 */
export async function replayEvents(emulator: EmulatorClient, id: string): Promise<string[]> {
  const include = "include[]=code_interpreter_call.outputs";
  const answer = await emulator.sendToApi(`/responses/${id}?stream=true&${include}`);
  const text = await answer.text();
  return text.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
}
