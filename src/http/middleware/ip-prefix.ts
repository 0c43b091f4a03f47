// Addresses as the rate limits count them.
import { expandIPv6 } from "hono/utils/ipaddr";

const IPV4_MAPPED = /^::ffff:([\d.]+)$/i;
/** Groups of 16 bits in an IPv6 address, and in a /64, the network that a provider gives to one customer. */
const ADDRESS_GROUPS = 8;
const NETWORK_GROUPS = 4;

/**
 * The rate-limit key of an address: an IPv4 address itself, and the /64 network of an IPv6 address.
 * @param address As Cloudflare writes it.
 */
export function rateLimitKey(address: string): string {
  if (!address.includes(":")) return address;
  const ipv4 = IPV4_MAPPED.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  // A client can send any text as its address when no Cloudflare is in between; hono throws on more groups.
  if (address.split(":").length > ADDRESS_GROUPS + 1) return address;
  return expandIPv6(address).toLowerCase().split(":").slice(0, NETWORK_GROUPS).join(":");
}
