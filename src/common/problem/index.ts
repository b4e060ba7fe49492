export { BEARER_CHALLENGE, bearerChallenge } from './bearer-challenge.js';
export { PROBLEM_CODES, PROBLEMS, type ProblemCode } from './catalogue.js';
export { Problem, invalidRequest, type InvalidMember, type ProblemOptions } from './problem.js';
export {
  ANY_ROUTE_PROBLEMS,
  BODY_PROBLEMS,
  GUARD_PROBLEMS,
  STRAY_BODY_PROBLEMS,
} from './problem-groups.js';
export {
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  statusDocument,
  type ProblemContext,
  type ProblemDocument,
} from './problem-document.js';
export {
  LANGUAGES,
  languageOf,
  pageText,
  problemText,
  ruleText,
  type Language,
} from './problem-texts.js';
