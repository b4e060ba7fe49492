export { EntityIdPipe } from './entity-id.pipe.js';
export type { Rule, RuleFailure } from './rule-failure.js';
export {
  emailAddress,
  IfSent,
  isBoolean,
  isList,
  isText,
  listOf,
  Obeys,
  textBetween,
} from './rules.js';
export { pointerTo, RequestValidationPipe } from './validation.pipe.js';
