import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type as system } from 'node:os';

/** The machine that ran the benchmark. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
}

export interface Versions {
  readonly node: string;
  readonly redis: string;
  readonly wrk: string;
  readonly packages: Readonly<Record<string, string>>;
}

const PACKAGES = [
  '@fastify/jwt',
  '@nestjs/core',
  'connect-redis',
  'express',
  'express-session',
  'fastify',
  'ioredis',
  'passport-jwt',
  'redis',
];

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${system()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}`,
  };
}

export function describeVersions(): Versions {
  return {
    node: process.version,
    redis: /v=(\S+)/.exec(outputOf('redis-server', '--version'))?.[1] ?? 'unknown',
    wrk: /^wrk (\S+)/m.exec(outputOf('wrk', '-v'))?.[1] ?? 'unknown',
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

/** The commit, and whether the checkout has uncommitted changes. */
export function describeCommit(): string {
  const commit = outputOf('git', 'rev-parse', '--short=12', 'HEAD').trim();
  const isChanged = outputOf('git', 'status', '--porcelain').trim() !== '';
  return commit === '' ? 'unknown' : `${commit}${isChanged ? ', changed' : ''}`;
}

function versionOf(name: string): string {
  const text = readFileSync(`node_modules/${name}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function outputOf(command: string, ...args: string[]): string {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '';
}
