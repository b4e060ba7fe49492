import { BlockList, isIP } from 'node:net';

import { parseNode, type NodeAddress } from '../common/network/index.js';

const NETWORK = /^([^/]+)(?:\/(\d{1,3}))?$/;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether the host is a loopback address or a name of one (RFC 6761), which only this machine can reach. */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0
    ? /^(?:.+\.)?localhost\.?$/i.test(host)
    : LOOPBACK.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** @returns the items of a comma-separated list; a trailing comma is allowed */
export function listItems(list: string): string[] {
  return list
    .replace(/,\s*$/, '')
    .split(',')
    .map((item) => item.trim());
}

/** Parses `announced=reachable`. @returns undefined for any other text */
export function parseNatEntry(text: string): readonly [NodeAddress, NodeAddress] | undefined {
  const [announced, reachable, ...rest] = text.split('=').map((part) => parseNode(part.trim()));
  return announced && reachable && rest.length === 0 ? [announced, reachable] : undefined;
}

/** Whether the text is an IP address or a CIDR range other than `/0`. */
export function isNetwork(text: string): boolean {
  const [, address = '', digits] = NETWORK.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) {
    return false;
  }
  const bits = Number(digits ?? 1);
  return bits >= 1 && bits <= (version === 6 ? 128 : 32);
}
