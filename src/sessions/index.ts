export { SessionsModule } from './sessions.module.js';
export type { SessionsOptions } from './sessions.options.js';
export {
  SessionsService,
  type NewSession,
  type PresentedToken,
  type SessionState,
} from './sessions.service.js';
