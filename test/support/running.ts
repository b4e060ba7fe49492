/**
 * Functions that stop child processes (Redis nodes and instances), which outlive their parent process. For programs
 * that may be interrupted.
 */
export const running = new Set<() => Promise<unknown>>();
