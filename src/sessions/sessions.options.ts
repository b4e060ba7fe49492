import type { SessionLimits } from '../user-slot/read/index.js';

/** Defaults: see `SessionLimits`. */
export type SessionsOptions = Partial<SessionLimits>;
