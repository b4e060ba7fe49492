export type { Rule, RuleFailure } from './rule-failure.js';
export { emailAddress, isText, Obeys, textBetween } from './rules.js';
export { RequestValidationPipe } from './validation.pipe.js';
