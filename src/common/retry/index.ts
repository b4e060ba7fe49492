export { retryUntilDone, type RetryOptions } from './retry-until-done.js';
