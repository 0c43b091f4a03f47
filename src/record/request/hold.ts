// Which background runs of /v1 are held. Pure.
import { isLossReported } from "../calls/item-kinds.ts";
import { toolTypes } from "./tools.ts";

/** The setting: runs whose outputs background mode is known to lose, all, or none. */
export const HOLD_SETTINGS = ["auto", "always", "never"] as const;
export type HoldSetting = (typeof HOLD_SETTINGS)[number];

/** The values of the request header, which overrides the setting. */
export const HOLD_HEADERS = ["on", "off"] as const;
export type HoldHeader = (typeof HOLD_HEADERS)[number];

/**
 * Why a run is not held. `no_known_loss`: it asks for nothing that background mode is known to lose. `header`, `setting`: the caller or the owner does not want it.
 * `too_large`: its request has more bytes than a held one may have.
 */
export type BackgroundReason = "no_known_loss" | "header" | "setting" | "too_large";

/** Whether a run is held. */
export type HoldDecision = { isHeld: true } | { isHeld: false; reason: BackgroundReason };

/**
 * Decides whether a run is held.
 * @param header Null when the request has none.
 * @param request The caller's create parameters, with nothing filled in.
 */
export function decideHold(
  setting: HoldSetting,
  header: HoldHeader | null,
  request: Record<string, unknown>,
): HoldDecision {
  if (header !== null) return header === "on" ? { isHeld: true } : inBackground("header");
  if (setting === "always") return { isHeld: true };
  if (setting === "never") return inBackground("setting");
  const { tools, include } = request;
  const isLossy = isLossReported(toolTypes(tools), Array.isArray(include) ? include : []);
  return isLossy ? { isHeld: true } : inBackground("no_known_loss");
}

function inBackground(reason: BackgroundReason): HoldDecision {
  return { isHeld: false, reason };
}

/** The decision as the answer's header says it. */
export function toHoldHeader(decision: HoldDecision): string {
  return decision.isHeld ? "held" : `background; ${decision.reason}`;
}
