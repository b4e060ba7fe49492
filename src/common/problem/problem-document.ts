import type { Problem } from './problem.js';
import { problemText, ruleText, type Language } from './problem-texts.js';

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly { pointer: string; code: string; detail: string }[];
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** The body of an error answer, RFC 9457. */
export function problemDocument(
  problem: Problem,
  context: { readonly path: string; readonly requestId: string; readonly language: Language },
): ProblemDocument {
  const { language } = context;
  const errors = problem.options.errors?.map((error) => ({
    pointer: error.pointer,
    code: error.code,
    detail: ruleText(error, language),
  }));
  return {
    type: `/problems/${problem.code}`,
    title: problemText(problem.code, 'title', language),
    status: problem.status,
    detail: problemText(problem.code, 'detail', language),
    instance: context.path,
    code: problem.code,
    requestId: context.requestId,
    ...(errors === undefined ? {} : { errors }),
    ...problem.options.extensions,
  };
}
