import { Logger, type INestApplicationContext } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

import { SigningKeys } from '../keys/index.js';
import { NearCache } from '../near-cache/index.js';
import { ClusterTime, RedisDiagnosis } from '../redis-cluster/index.js';
import { BootstrapAdministrator } from '../users/index.js';

/** A start that needs nobody's help is faster. */
const TELL_AFTER_MS = 1000;
const TELL_EVERY_MS = 10_000;

/**
 * What a started application waits for before it says that it is ready, however long Redis takes. Meanwhile the log tells
 * what is missing.
 *
 * @throws KeyDecryptionError, BootstrapAdministratorError
 */
export async function untilReady(app: INestApplicationContext): Promise<void> {
  const steps: [string, () => Promise<void>][] = [
    ['the time of the cluster', async () => app.get(ClusterTime).untilKnown()],
    ['news of the other instances', async () => app.get(NearCache).untilTrusted()],
    // Not before: what is loaded without trust is not remembered, and the first token would load it once more.
    ['the signing keys', async () => app.get(SigningKeys).untilLoaded()],
    ['the administrator', async () => app.get(BootstrapAdministrator).untilThere()],
  ];
  const abort = new AbortController();
  let waitsFor = '';
  void tellWhatIsMissing(app.get(RedisDiagnosis), () => waitsFor, abort.signal);
  try {
    for (const [what, isThere] of steps) {
      waitsFor = what;
      await isThere();
    }
  } finally {
    abort.abort();
  }
}

async function tellWhatIsMissing(
  diagnosis: RedisDiagnosis,
  waitsFor: () => string,
  signal: AbortSignal,
): Promise<void> {
  const logger = new Logger('Start');
  const wait = async (ms: number): Promise<void> =>
    delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  await wait(TELL_AFTER_MS);
  while (!signal.aborted) {
    const problems = await diagnosis.problems().catch((error: Error) => [error.message]);
    if (signal.aborted) {
      return;
    }
    const why = problems.length > 0 ? `: ${problems.join('; ')}` : '';
    logger.warn(`Not ready yet, waiting for ${waitsFor()} from Redis${why}.`);
    await wait(TELL_EVERY_MS);
  }
}
