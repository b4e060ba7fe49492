import { setTimeout as delay } from 'node:timers/promises';

const RETRY_INTERVAL_MS = 500;

/**
 * Retries until `load` succeeds, without a limit.
 *
 * @param isFinal whether an error will not go away by itself; it is thrown
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
