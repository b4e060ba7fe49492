export { AllSessions, type AllSessionsEnded, type Progress } from './all-sessions.js';
export type {
  NewSession,
  PresentedToken,
  RefreshExchange,
  RefreshOutcome,
  Session,
  SessionCheck,
  SessionKey,
  SessionState,
} from './session.js';
export { SessionWatch, type SessionEnd } from './session-watch.js';
export { SessionsModule } from './sessions.module.js';
export type { SessionsOptions } from './sessions.options.js';
export { SessionsService } from './sessions.service.js';
