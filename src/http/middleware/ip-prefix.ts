// Addresses as they are counted.

/** Groups of 16 bits in the part of an IPv6 address that a provider gives to one customer: a /64. */
const NETWORK_GROUPS = 4;

/**
 * What an address is counted by. One customer has a whole IPv6 network of 64 bits, so that counts as one.
 * @param address As Cloudflare writes it.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [before = [], after = []] = address.split("::", 2).map(groupsOf);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(":");
}

function groupsOf(part: string): string[] {
  const groups = part === "" ? [] : part.split(":");
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}
