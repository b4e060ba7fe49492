import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { within } from './within.js';

/** Longer than nginx or a Redis node takes to stop. */
const STOP_TIMEOUT_MS = 30_000;

/**
 * Sends the signal and waits until the process has exited.
 *
 * @throws when the process does not exit; it is then killed
 */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, 'exit');
  child.kill(signal);
  const what = `exit of "${child.spawnargs.join(' ')}" after ${signal}`;
  try {
    await within(what, STOP_TIMEOUT_MS, exited);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
