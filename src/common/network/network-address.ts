import ipaddr from 'ipaddr.js';
import { isIP, isIPv4 } from 'node:net';

/** An IPv6 host has a whole /64 to call from. */
const IPV6_HOST_PREFIX_BITS = 64;
/** A customer of a provider has up to a /48, with 65,536 networks (RFC 6177). */
const IPV6_SITE_PREFIX_BITS = 48;
const WITH_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d*)?$/;
const ZONE = /%.*$/;

/**
 * The one form in which an address is shown, logged and counted: an IPv4 address also where it was mapped into IPv6
 * (RFC 4291 section 2.5.5.2), an IPv6 address as RFC 5952 writes it; without brackets, port and zone, which means
 * something on one machine only. What is no address stays as it is.
 */
export function normalAddress(address: string): string {
  return isIPv4(address) ? address : (parsed(address)?.toString() ?? address);
}

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
