// The keys by which Cloudflare counts. They tell this recorder's counts from those of another one in the account, whose limits may have the
// same `namespace_id`. The host can't do so, because behind a wildcard route a caller chooses it, nor can the access token, because two
// recorders may have the same. Cloudflare derives the ids of objects from a namespace that belongs to one Worker, so no other Worker has them.
import { rateLimitKey } from "./ip-prefix.ts";

/** The binding of the Worker that makes its ids. */
type Recorder = { CATALOG: { idFromName(name: string): { toString(): string } } };

/**
 * The key of a caller's attempts to log in.
 * @param address As Cloudflare writes it; empty where there is none.
 */
export function toLoginKey(recorder: Recorder, address: string): string {
  return `${toTriggerKey(recorder)} ${rateLimitKey(address)}`;
}

/** The key of all triggers of a recorder. */
export function toTriggerKey({ CATALOG }: Recorder): string {
  return CATALOG.idFromName("rate limits").toString();
}
