export { EntityIdPipe } from './entity-id.pipe.js';
export type { Rule, RuleFailure } from './rule-failure.js';
export {
  emailAddress,
  entityId,
  isBoolean,
  isBooleanText,
  isList,
  isText,
  listOf,
  MatchesRule,
  OptionalNotNull,
  textBetween,
  wholeNumberBetween,
} from './rules.js';
export { pointerTo, RequestValidationPipe } from './validation.pipe.js';
