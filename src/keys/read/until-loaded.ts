import { setTimeout as delay } from 'node:timers/promises';

const RETRY_INTERVAL_MS = 500;

/**
 * Retries `load` without a time limit until it succeeds.
 *
 * @param isFinal whether an error is permanent. A permanent error is thrown
 */
export async function untilLoaded(
  load: () => Promise<unknown>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<void> {
  for (;;) {
    try {
      await load();
      return;
    } catch (error) {
      if (isFinal(error)) {
        throw error;
      }
      await delay(RETRY_INTERVAL_MS);
    }
  }
}
