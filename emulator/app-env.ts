import type { HttpBindings } from "@hono/node-server";
import type { LoggedRequest } from "./request-log.ts";

/** What hono's context carries through a request to the emulator. */
export interface AppEnv {
  Bindings: HttpBindings;
  Variables: {
    loggedRequest: LoggedRequest;
    streamFault: StreamFault | undefined;
    /** A fault withholds the response on purpose. */
    neverResponds: boolean | undefined;
  };
}

/** A fault that interrupts an event stream. */
export interface StreamFault {
  /** The number of events that the client still gets, at most. */
  afterEvents: number;
  /** The type of the item whose last event is the last that the client gets. */
  afterItem: string | undefined;
  /** Whether the connection then stays open, silent, or is closed. */
  staysOpen: boolean;
}
