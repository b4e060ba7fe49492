/** The least that Argon2 accepts, for tests in which the hashing is not what they test: under a millisecond instead of 23. */
export const CHEAP_HASHING = { memoryKib: 8, passes: 1 } as const;
