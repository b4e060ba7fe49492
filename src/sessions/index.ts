export type {
  Authentication,
  AuthenticationMethod,
  Factor,
  NewSession,
  PresentedToken,
  RefreshExchange,
  RefreshOutcome,
  Session,
  SessionState,
} from '../user-slot/read/index.js';
export { AllSessions, type AllSessionsEnded, type Progress } from './all-sessions.js';
export { SessionsModule } from './sessions.module.js';
export type { SessionsOptions } from './sessions.options.js';
export { SessionsService, type RevokedToken } from './sessions.service.js';
