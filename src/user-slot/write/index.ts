/** The write side. What it shares with the read side is exported there. */
export { CONFLICT, retryOnConflict } from './retry-on-conflict.js';
export { SessionWriter } from './session.writer.js';
export { UserWriter, type DeletionResult } from './user.writer.js';
