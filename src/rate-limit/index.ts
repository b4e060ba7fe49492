export { RateLimitModule } from './rate-limit.module.js';
export {
  RateLimiter,
  type AttemptDecision,
  type AttemptResult,
  type FailureLimit,
} from './rate-limiter.js';
