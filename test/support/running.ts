/**
 * Ends child processes: nodes of Redis and instances outlive the process that started them. For programs
 * that may be interrupted.
 */
export const running = new Set<() => Promise<unknown>>();
