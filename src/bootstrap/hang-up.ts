import { isatty } from 'node:tty';

import type { Shutdown } from './shutdown.js';

/**
 * Replaces the reaction to SIGHUP, which service managers send to reload a service. The system also sends it when a terminal is
 * closed. The instance then stops.
 */
export function onHangUp(shutdown: Shutdown, reaction: () => void): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  shutdown.insteadOn('SIGHUP', () => {
    if (shutdown.isUnderWay) {
      return;
    }
    // A terminal that was closed is no terminal any more.
    if (terminals.some((descriptor) => !isatty(descriptor))) {
      void shutdown.run(0);
    } else {
      reaction();
    }
  });
}
