import { isIP } from 'node:net';

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

const NODE = /^(?:\[([^\]]+)\]|([^\s:[\]=]+)):(\d{1,5})$/;

/** Parses `host:port` or `[address]:port`. @returns undefined for any other text */
export function parseNode(text: string): NodeAddress | undefined {
  const [, address, name, digits] = NODE.exec(text) ?? [];
  const host = address ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    return undefined;
  }
  return address === undefined || isIP(address) === 6 ? { host, port } : undefined;
}
