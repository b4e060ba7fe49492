import { writeFileSync } from 'node:fs';

import type { UserResponse } from '../../../src/users/dto/user.response.dto.js';

/** The response of every peer: the user as Keyslot returns it, byte for byte. */
export type UserBody = UserResponse;

/** A peer as a process: it serves until it is stopped, or creates sessions for the load and exits. */
export interface Peer {
  /** @returns the address on which it listens */
  listen(): Promise<string>;
  /** @returns this many header lines, one for each session */
  seed?(count: number): Promise<string[]>;
}

/** `peer.js` starts the server; `peer.js seed <count> <file>` writes header lines into a file, as JSON. */
export async function runPeer(peer: Peer): Promise<void> {
  const [mode, count, file] = process.argv.slice(2);
  if (mode === 'seed' && file !== undefined && peer.seed) {
    writeFileSync(file, JSON.stringify(await peer.seed(Number(count))));
    process.exit(0);
  }
  process.stdout.write(`${await peer.listen()}\n`);
}

export function user(): UserBody {
  return JSON.parse(variable('BENCH_USER')) as UserBody;
}

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set`);
  }
  return value;
}

export function redisNodes(): { host: string; port: number }[] {
  return variable('REDIS_NODES')
    .split(',')
    .map((node) => {
      const { hostname, port } = new URL(`redis://${node}`);
      return { host: hostname, port: Number(port) };
    });
}

/** Shared by all processes of a peer. */
export const PEER_SECRET = 'a secret that only the benchmarks know about';
export const SESSION_SECONDS = 3600;
