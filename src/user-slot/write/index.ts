/** The write side. The read side exports the types that both use. */
export { CONFLICT, retryOnConflict } from './retry-on-conflict.js';
export { FactorWriter, MAX_FACTORS } from './factor.writer.js';
export { OneTimeTokenStore } from './one-time-token.store.js';
export { SessionWriter, type RaiseOutcome, type StartOutcome } from './session.writer.js';
export { UserWriter, type DeletionResult } from './user.writer.js';
