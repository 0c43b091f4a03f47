// One simulated Connection, and what others may do with those of a run.
import type { ConnectionState } from "../../../src/record/connection/state.ts";
import type { ConnectionObject } from "./connection-object.ts";
import type { StreamEvent } from "./stream-event.ts";
import type { StreamScript } from "./stream-scripts.ts";

/** What happened to one Connection. */
export type ConnectionTruth = {
  name: string;
  /** When its storage took the opening; null: never. */
  openedAt: number | null;
  /** What OpenAI answered in place of a stream. */
  refusal: "refused" | "unreachable" | null;
  /** The events that its storage took. */
  stored: StreamEvent[];
  /** Whether the Recorder committed what it brought, or gave that up. */
  isRead: boolean;
  goneAt: number | null;
  /** Its phase after the last write. */
  phase: ConnectionState["phase"] | null;
};

/** One Connection, with what OpenAI sends to it, and what happened to it. */
export type SimulatedConnection = {
  name: string;
  script: StreamScript;
  stream: {
    /** Requests that were sent for it. */
    readonly posts: number;
    /** The end of the run was moved. */
    replan(): void;
  };
  object: ConnectionObject;
  truth: ConnectionTruth;
};

/** How a call to a Connection fares. */
export type Reach = "well" | "lost" | "answer lost";

/** The Connections of one response. */
export interface ConnectionSet {
  readonly own: SimulatedConnection | null;
  readonly control: SimulatedConnection | null;
  readonly all: SimulatedConnection[];
  find(name: string): SimulatedConnection | undefined;
  /** Draws how a call to a Connection fares. */
  reach(): Reach;
  /** The Recorder has committed what a Connection brought. */
  release(name: string): void;
}
