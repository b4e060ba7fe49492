import { readFileSync } from 'node:fs';

/** The ids of the child processes. Only on Linux. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== '')
      .map(Number);
  } catch {
    return []; // it has ended
  }
}

/**
 * Whether a process that `node:cluster` forks runs its own program. Until then it is a copy of its parent, and the parent
 * waits for it in a system call: to stop the copy stops the parent as well. Only on Linux.
 */
export function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes('NODE_UNIQUE_ID=');
  } catch {
    return false; // it has ended
  }
}
