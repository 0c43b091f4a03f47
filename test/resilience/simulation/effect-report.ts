// What comes of an effect.
import type { ResultEvent } from "../../../src/record/events.ts";
import type { Payload } from "./recorder-object.ts";
import type { SimulatedConnection } from "./simulated-connection.ts";
import type { ControlTruth, Shown } from "./truth.ts";

/** What an effect reports, and what that means for the truth when the Recorder takes it. */
export type Report = {
  event: ResultEvent;
  payload?: Payload;
  shown?: Shown;
  control?: ControlTruth | null;
  /** The Connection that was read. */
  reads?: SimulatedConnection;
};
