export {
  refusalsPerAddress,
  type AttemptResult,
  type FailureLimit,
  type GuessLimit,
  type GuessResult,
  type Proof,
} from './failure-counts.js';
export { RateLimitModule } from './rate-limit.module.js';
export type { RateLimitOptions } from './rate-limit.options.js';
export {
  RateLimiter,
  type Attempted,
  type TooManyAttempts,
  UndecidedAttemptError,
} from './rate-limiter.js';
