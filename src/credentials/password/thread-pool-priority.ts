import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/**
 * Added to the nice value of the process. A thread gets about a quarter of the time of a core, if another wants it whose nice value
 * is five lower. With more, logins would fail while other processes of the machine keep all cores busy.
 */
const NICE_INCREMENT = 5;
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW;

/** libuv names its threads since 1.50 (Node 22). */
const POOL_THREAD_NAME = /^libuv-worker/;
const EMPTY_SIGNAL_MASK = /^SigBlk:\t0+$/m;

/**
 * Gives the threads of Node's pool, which hash passwords, a lower priority than the event loop. Otherwise an event loop with a
 * request to answer waits until a hash has used up its share of the core, which takes some milliseconds.
 *
 * Linux only, where each thread has a priority of its own (sched(7), setpriority(2)). It does nothing on other systems, and
 * where the operating system refuses it. The threads must already run. Other work of the pool (files, host names) gets the
 * lower priority too.
 */
export function lowerThreadPoolPriority(): void {
  const priority = hashingPriority();
  if (priority === undefined) {
    return;
  }
  try {
    poolThreads().forEach((thread) => setPriority(thread, priority));
  } catch {
    // Without /proc or without permission, the threads keep their priority.
  }
}

/** The nice value of threads that hash passwords. @returns undefined when a thread has no priority of its own */
export function hashingPriority(): number | undefined {
  return process.platform === 'linux'
    ? Math.min(getPriority() + NICE_INCREMENT, LOWEST_PRIORITY)
    : undefined;
}

/** The thread ids of the pool. */
function poolThreads(): number[] {
  const threads = readdirSync('/proc/self/task')
    .map(Number)
    .filter((thread) => thread !== process.pid);
  const named = threads.filter((thread) => POOL_THREAD_NAME.test(readThread(thread, 'comm')));
  // In Node 20, no thread has a name. V8's threads and the inspector's block signals there, those of the pool block none.
  return named.length > 0
    ? named
    : threads.filter((thread) => EMPTY_SIGNAL_MASK.test(readThread(thread, 'status')));
}

function readThread(thread: number, file: 'comm' | 'status'): string {
  return readFileSync(`/proc/self/task/${thread}/${file}`, 'utf8');
}
