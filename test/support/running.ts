/**
 * How to end what runs in processes of its own: nodes of Redis and instances outlive whoever started them. For programs
 * that may be interrupted.
 */
export const running = new Set<() => Promise<unknown>>();
