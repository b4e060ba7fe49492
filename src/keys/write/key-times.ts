/**
 * How long a new key is published before it signs. Verifiers cache the published set for five minutes (`Cache-Control`), and
 * some libraries for ten minutes, whatever the header says. Five more minutes are a margin.
 */
export const PUBLICATION_MS = 15 * 60_000;

/**
 * How long a key verifies after the last instance has signed with it: the maximum lifetime of an access token, and five minutes
 * for the difference between clocks.
 */
export const RETENTION_MS = 65 * 60_000;

/** How long a withdrawal is remembered, so that a repeated command recognizes the key. */
export const WITHDRAWAL_MEMORY_MS = 90 * 86_400_000;

export const DEFAULT_LIFETIME_SECONDS = 90 * 86_400;
