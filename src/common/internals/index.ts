export { hideInternals, MayTellInternals } from './internals.js';
