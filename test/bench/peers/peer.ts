import { writeFileSync } from 'node:fs';

import type { UserResponse } from '../../../src/users/dto/user.response.dto.js';

/** What every peer answers: the user of Keyslot, to the byte. */
export type UserBody = UserResponse;

/** A peer as a process: it serves until it is ended, or makes sessions for the load and ends. */
export interface Peer {
  /** @returns the address at which it listens */
  listen(): Promise<string>;
  /** @returns so many header lines, each of which is a session */
  seed?(count: number): Promise<string[]>;
}

/** `peer.js` serves; `peer.js seed <count> <file>` writes header lines into a file, as JSON. */
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

/** The same in all processes of a peer. */
export const PEER_SECRET = 'a secret that only the benchmarks know about';
export const SESSION_SECONDS = 3600;
