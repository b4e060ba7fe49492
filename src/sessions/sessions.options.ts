import type { SessionLimits } from '../user-slot/read/index.js';

/** What is left out has its default; see `SessionLimits`. */
export type SessionsOptions = Partial<SessionLimits>;
