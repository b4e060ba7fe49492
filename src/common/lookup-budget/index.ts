export { LOOKUP_BURST, LOOKUP_INTERVAL_MS, LookupBudget } from './lookup-budget.js';
