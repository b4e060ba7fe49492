import ipaddr from 'ipaddr.js';

/** An IPv6 host has a whole /64 to call from. */
const IPV6_HOST_PREFIX_BITS = 64;
/** A customer of a provider has up to a /48, with 65,536 networks (RFC 6177). */
const IPV6_SITE_PREFIX_BITS = 48;
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d+)?$/;

/**
 * What attempts from an address are counted under: an IPv4 address, the /64 of an IPv6 address, and for anything else
 * (a proxy may forward what it likes) the text itself.
 */
export function networkOf(address: string): string {
  return prefixOf(address, IPV6_HOST_PREFIX_BITS);
}

/**
 * Who may own a network: the /48 of an IPv6 address, and for anything else the same as `networkOf`.
 *
 * @param network an address, or what `networkOf` returned
 */
export function siteOf(network: string): string {
  return prefixOf(network, IPV6_SITE_PREFIX_BITS);
}

function prefixOf(address: string, ipv6PrefixBits: number): string {
  const { v4, v6 } = WITH_PORT.exec(address)?.groups ?? {};
  const bare = v4 ?? v6 ?? address;
  if (!ipaddr.isValid(bare)) {
    return address;
  }
  const parsed = ipaddr.process(bare);
  return parsed.kind() === 'ipv4'
    ? parsed.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${ipv6PrefixBits}`).toString();
}
