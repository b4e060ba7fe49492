import ipaddr from 'ipaddr.js';
import { isIP, isIPv4 } from 'node:net';

/** An IPv6 host can use every address of its /64. */
const IPV6_HOST_PREFIX_BITS = 64;
/** A provider assigns up to a /48, with 65,536 networks, to one customer (RFC 6177). */
const IPV6_SITE_PREFIX_BITS = 48;
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d*)?$/;
const ZONE = /%.*$/;

/**
 * Normalizes an address for display, logs and limits. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) becomes IPv4, an
 * IPv6 address is written as in RFC 5952. Brackets, port and zone are removed. Any other text is returned unchanged.
 */
export function normalAddress(address: string): string {
  return isIPv4(address) ? address : (parsed(address)?.toString() ?? address);
}

/**
 * The network that limits count attempts for: an IPv4 address, or the /64 of an IPv6 address. Any other text, which a proxy
 * may forward, is returned unchanged.
 */
export function networkOf(address: string): string {
  return prefixOf(address, IPV6_HOST_PREFIX_BITS);
}

/**
 * The largest range that one customer may control: the /48 of an IPv6 address, and otherwise the same as `networkOf`.
 *
 * @param network an address, or a result of `networkOf`
 */
export function siteOf(network: string): string {
  return prefixOf(network, IPV6_SITE_PREFIX_BITS);
}

function prefixOf(address: string, ipv6PrefixBits: number): string {
  const ip = parsed(address);
  return ip?.kind() === 'ipv6'
    ? ipaddr.IPv6.networkAddressFromCIDR(`${ip.toString()}/${ipv6PrefixBits}`).toString()
    : (ip?.toString() ?? address);
}

function parsed(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const { v4, v6 } = WITH_PORT.exec(address)?.groups ?? {};
  const bare = (v4 ?? v6 ?? address).replace(ZONE, '');
  return isIP(bare) === 0 ? undefined : ipaddr.process(bare);
}
