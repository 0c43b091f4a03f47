// What every part of the benchmark gets, and what it gives back.
import type { EmulatorClient } from "./emulator-client.ts";
import type { RecorderClient } from "./recorder-client.ts";
import type { ServerProcess } from "./server-processes.ts";

export type BenchContext = {
  emulator: EmulatorClient;
  recorder: RecorderClient;
  /** The handler of OpenAI's guide. */
  guide: ServerProcess;
  /** A Worker that does only what the platform itself needs. */
  platform: ServerProcess;
  /** The folder for configurations and state while the benchmark runs. */
  folder: string;
  isQuick: boolean;
};

/** What is measured: this Worker, what people would otherwise write, and the platform alone. */
export type Subject = "recorder" | "guide" | "poller" | "platform";

/** One line of the table. */
export type Measurement = {
  part: number;
  name: string;
  unit: string;
  values: Partial<Record<Subject, number>>;
  /** True for rates. Otherwise the lower value is the better one. */
  higherIsBetter?: boolean;
  aim?: { text: string; met: boolean };
};
