import { STATUS_CODES } from 'node:http';

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

export interface ProblemContext {
  readonly path: string;
  readonly requestId: string;
  readonly language: Language;
  /** Path of the public URL, such as `/keyslot`: the prefix of all paths in the document. Default: none. */
  readonly publicPath?: string | undefined;
}

/** Creates the body of an error response (RFC 9457). */
export function problemDocument(problem: Problem, context: ProblemContext): ProblemDocument {
  const { language, publicPath = '' } = context;
  const errors = problem.options.errors?.map((error) => ({
    pointer: error.pointer,
    code: error.code,
    detail: ruleText(error, language),
  }));
  return {
    type: `${publicPath}/problems/${problem.code}`,
    title: problemText(problem.code, 'title', language),
    status: problem.status,
    detail: problemText(problem.code, 'detail', language),
    instance: `${publicPath}${context.path}`,
    code: problem.code,
    requestId: context.requestId,
    ...(errors === undefined ? {} : { errors }),
    ...problem.options.extensions,
  };
}

/**
 * Creates the body for an error without a code in the catalogue: `about:blank` means the HTTP status alone (RFC 9457 section
 * 4.2.1).
 *
 * @param detail must be safe to show
 */
export function statusDocument(
  status: number,
  detail: string | undefined,
  { path, requestId, publicPath = '' }: ProblemContext,
): ProblemDocument {
  const title = STATUS_CODES[status] ?? 'Error';
  return {
    type: 'about:blank',
    title,
    status,
    detail: detail ?? title,
    instance: `${publicPath}${path}`,
    code: title.toLowerCase().replace(/[^a-z]+/g, '-'),
    requestId,
  };
}
