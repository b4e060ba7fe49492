export {
  ApiProblems,
  describedProblems,
  PROBLEM_JSON,
  problemResponses,
  ProblemResponse,
  type DocumentedProblems,
} from './api-problems.decorator.js';
