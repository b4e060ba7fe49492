export { RateLimitModule } from './rate-limit.module.js';
export type { RateLimitOptions } from './rate-limit.options.js';
export {
  RateLimiter,
  type Attempted,
  type AttemptResult,
  type FailureLimit,
  type TooManyAttempts,
  UndecidedAttemptError,
} from './rate-limiter.js';
