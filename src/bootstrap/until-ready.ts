import { Logger, type INestApplicationContext } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import { ClusterTime, RedisDiagnosis } from '../redis-cluster/index.js';
import { RoleReader } from '../roles/index.js';
import { BootstrapAdministrator } from '../users/index.js';

/** A normal start takes less time, and logs no warning. */
const FIRST_WARNING_DELAY_MS = 1000;
const WARNING_INTERVAL_MS = 10_000;

/**
 * Waits until a started application is ready, without a time limit, or until it closes. Meanwhile it logs what is missing.
 *
 * @throws KeyDecryptionError, BootstrapAdministratorError
 */
export async function untilReady(app: INestApplicationContext): Promise<void> {
  const steps: [string, () => Promise<unknown>][] = [
    ['the time of the cluster', async () => app.get(ClusterTime).untilKnown()],
    ['the invalidations of the other instances', async () => app.get(NearCache).untilTrusted()],
    // Loaded only after the near cache is trusted. Earlier, they would not be cached, and the first token would load them
    // again.
    ['the signing keys', async () => app.get(SigningKeys).untilLoaded()],
    ['the roles', async () => app.get(RoleReader).untilLoaded()],
    ['the administrator', async () => app.get(BootstrapAdministrator).ensureCreated()],
  ];
  const abort = new AbortController();
  let current = '';
  void warnWhileWaiting(app.get(RedisDiagnosis), () => current, abort.signal);
  try {
    for (const [name, wait] of steps) {
      current = name;
      await wait();
    }
  } finally {
    abort.abort();
  }
}

async function warnWhileWaiting(
  diagnosis: RedisDiagnosis,
  currentStep: () => string,
  signal: AbortSignal,
): Promise<void> {
  const logger = new Logger('Start');
  const wait = async (ms: number): Promise<void> =>
    delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  await wait(FIRST_WARNING_DELAY_MS);
  while (!signal.aborted) {
    const problems = await diagnosis.problems().catch((error: Error) => [error.message]);
    if (signal.aborted) {
      return;
    }
    const reason = problems.length > 0 ? `: ${problems.join('; ')}` : '';
    logger.warn(`Not ready yet, waiting for ${currentStep()} from Redis${reason}.`);
    await wait(WARNING_INTERVAL_MS);
  }
}
