export { Clock, CLOCK_SKEW_SECONDS } from './clock.js';
export { ClockModule } from './clock.module.js';
