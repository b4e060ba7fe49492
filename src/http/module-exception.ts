import { HttpException } from '@nestjs/common';

import {
  statusDocument,
  type ProblemContext,
  type ProblemDocument,
} from '../common/problem/index.js';

/** Members of Nest's error bodies. They repeat the status, or become `detail` and `errors`. */
const NEST_MEMBERS = new Set(['message', 'error', 'statusCode']);
/** Members that describe this response. An exception cannot override them. */
const FIXED_MEMBERS = new Set(['status', 'instance', 'requestId']);

/**
 * Converts an HttpException that a module threw with its own text or members into a problem document (RFC 9457). One text
 * becomes `detail`, several texts become `detail` and `errors`, and the members of an object become members of the document.
 * A server error (5xx) shows only its status, because its text may be internal.
 *
 * @returns undefined when the exception has only a status: the catalogue has a localized text for that
 */
export function moduleProblem(
  exception: HttpException,
  context: ProblemContext,
): ProblemDocument | undefined {
  const status = exception.getStatus();
  if (status >= 500) {
    return statusDocument(status, undefined, context);
  }
  if (isRaisedByFramework(exception)) {
    return undefined;
  }
  const texts = textsOf(exception);
  const members = membersOf(exception.getResponse());
  if (texts.length === 0 && Object.keys(members).length === 0) {
    return undefined;
  }
  const document = statusDocument(
    status,
    texts.length === 0 ? undefined : texts.join('; '),
    context,
  );
  const errors = texts.map((detail) => ({ pointer: '', code: document.code, detail }));
  return { ...document, ...(texts.length > 1 ? { errors } : {}), ...members };
}

/** Whether Fastify or Nest threw it, for example for an unknown route or a guard that returned false. */
export function isRaisedByFramework(exception: HttpException): boolean {
  const isOfFastify =
    exception.constructor === HttpException &&
    typeof (exception.cause as { statusCode?: unknown } | undefined)?.statusCode === 'number';
  return (
    isOfFastify ||
    (exception.getStatus() === 404 && /^Cannot [A-Z]+ \//.test(exception.message)) ||
    (exception.getStatus() === 403 && exception.message === 'Forbidden resource')
  );
}

function textsOf(exception: HttpException): string[] {
  const response: unknown = exception.getResponse();
  const message = isObject(response) ? response['message'] : response;
  const texts = (Array.isArray(message) ? message : [message]).filter(
    (text): text is string | number => typeof text === 'string' || typeof text === 'number',
  );
  // Without a text of its own, an exception has the name of its status as message.
  const isDefault = isObject(response) && !('error' in response) && isNameOfStatus(exception);
  return isDefault ? [] : texts.map(String).filter(Boolean);
}

function isNameOfStatus(exception: HttpException): boolean {
  const name = exception.constructor.name.replace(/Exception$/, '');
  return exception.message.replace(/[^A-Za-z]/g, '').toLowerCase() === name.toLowerCase();
}

function membersOf(response: unknown): Record<string, unknown> {
  return isObject(response)
    ? Object.fromEntries(
        Object.entries(response).filter(
          ([name]) => !NEST_MEMBERS.has(name) && !FIXED_MEMBERS.has(name),
        ),
      )
    : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
