import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Deadline } from '../../src/common/deadline/index.js';
import type { EmbeddedCluster } from '../../src/embedded-cluster/index.js';
import { credentialsOf } from '../../src/guard/bearer-token.js';
import type { UserToken } from '../../src/guard/verified-tokens.js';
import { sessionCacheKey } from '../../src/user-slot/read/index.js';
import type { Population } from './population.js';
import { startScaleInstance, type ScaleInstance } from './scale-instance.js';
import { PASSWORD_LOGIN } from '../support/authentication.js';

const READERS = 500;

export interface HeapReport {
  readonly megabytesAllowed: number;
  readonly entries: number;
  readonly estimatedMiB: number;
  /** The growth of the heap, after a garbage collection. */
  readonly grownMiB: number;
}

export interface LongRunReport {
  readonly warmReads: number;
  readonly newTokens: number;
  /** The heap after each part of the run, after a garbage collection. */
  readonly heapMiB: readonly number[];
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const toMiB = (bytes: number): number => bytes / 1024 / 1024;

function usedMiB(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return toMiB(heapUsed + external);
}

/** Measures the heap of an instance that has read more sessions than its cache can store. */
export async function heapWithFullMemory(
  cluster: EmbeddedCluster,
  population: Population,
  megabytes: number,
): Promise<HeapReport> {
  const instance = await startScaleInstance(cluster, { NEAR_CACHE_MEGABYTES: String(megabytes) });
  const before = usedMiB();
  const wanted = Math.min(population.sessions, 110_000);
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < wanted) {
      const session = next;
      next += 1;
      await read(instance, population, session);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const report = {
    megabytesAllowed: megabytes,
    entries: instance.memory.entryCount,
    estimatedMiB: toMiB(instance.memory.bytes),
    grownMiB: usedMiB() - before,
  };
  await instance.context.close();
  return report;
}

async function read(
  { sessionReader }: ScaleInstance,
  population: Population,
  session: number,
): Promise<void> {
  const userId = population.userId(population.userOf(session));
  const sessionId = population.sessionId(session);
  const token = { token: randomUUID(), userId, sessionId };
  await sessionReader.stateOf(sessionCacheKey(userId, sessionId), true, (read) =>
    sessionReader.use(token, true, Deadline.none, read),
  );
}

/** Reads with changing tokens, as the guard does, and measures the heap after each part. */
export async function longRun(
  cluster: EmbeddedCluster,
  population: Population,
  parts: number,
  readsPerPart: number,
  tokensPerPart: number,
): Promise<LongRunReport> {
  const instance = await startScaleInstance(cluster);
  const { issuer, validator, verified } = instance;
  let [warmReads, newTokens] = [0, 0];
  const heapMiB: number[] = [];
  const issue = async (): Promise<string> => {
    const { userId, sessionId } = population.pick(newTokens);
    newTokens += 1;
    const token = await issuer.issue(
      { id: userId, roles: [] },
      { id: sessionId, authentication: PASSWORD_LOGIN },
      Deadline.none,
    );
    return token.reveal();
  };
  const first = await issue();
  await validator.validate(first, Deadline.none);
  const known = verified.get(credentialsOf(first)) as UserToken;
  // Fills the table of tokens first, because it grows with each new token until it is full.
  for (let index = 0; index < 60_000; index += 1) {
    const claims = { ...known.claims, jti: randomUUID(), sub: randomUUID(), sid: randomUUID() };
    const padding = randomUUID().repeat(13);
    verified.add({ ...known, credentials: credentialsOf(`${padding}.${claims.jti}`), claims });
  }
  for (let part = 0; part < parts; part += 1) {
    const tokens: string[] = [];
    for (let index = 0; index < tokensPerPart; index += 1) {
      const token = await issue();
      await validator.validate(token, Deadline.none);
      tokens.push(token);
    }
    for (let index = 0; index < readsPerPart; index += 1) {
      warmReads += validator.recall(tokens[index % tokens.length]!) ? 1 : 0;
      if (index % 1000 === 0) {
        // Lets the lease be renewed.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    tokens.length = 0;
    heapMiB.push(usedMiB());
  }
  await instance.context.close();
  return { warmReads, newTokens, heapMiB };
}
