// What every part measures with, and what it gives.
import type { Api } from "./emulator-client.ts";
import type { Recorder } from "./recorder-client.ts";
import type { Served } from "./server-processes.ts";

export type Bench = {
  api: Api;
  recorder: Recorder;
  /** The handler of OpenAI's guide. */
  guide: Served;
  floors: Served;
  /** Where configurations and state are kept while the bench runs. */
  folder: string;
  quick: boolean;
};

/** Who is measured: this Worker, what people would otherwise write, and what the platform itself can do. */
export type Subject = "recorder" | "guide" | "poller" | "floor";

/** One line of the table. */
export type Line = {
  part: number;
  what: string;
  unit: string;
  values: Partial<Record<Subject, number>>;
  /** More is better, where it isn't the other way round. */
  more?: boolean;
  aim?: { text: string; met: boolean };
};
