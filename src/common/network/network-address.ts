import ipaddr from 'ipaddr.js';

/** An IPv6 host has a whole /64 to call from. */
const IPV6_PREFIX_BITS = 64;
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d+)?$/;

/**
 * What attempts from an address are counted under: an IPv4 address, the /64 of an IPv6 address, and for anything else
 * (a proxy may forward what it likes) the text itself.
 */
export function networkOf(address: string): string {
  const { v4, v6 } = WITH_PORT.exec(address)?.groups ?? {};
  const bare = v4 ?? v6 ?? address;
  if (!ipaddr.isValid(bare)) {
    return address;
  }
  const parsed = ipaddr.process(bare);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_PREFIX_BITS}`).toString();
}
