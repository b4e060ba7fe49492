import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';

import { PROBLEM_CODES, PROBLEMS, type ProblemCode } from './catalogue.js';
import { problemText, ruleText } from './problem-texts.js';

export class InvalidMemberResponse {
  @ApiProperty({ description: 'JSON Pointer into the body (RFC 6901).', example: '/password' })
  pointer!: string;

  @ApiProperty({ example: 'too-short' })
  code!: string;

  @ApiProperty({ example: 'Too short. Minimum number of characters: 15.' })
  detail!: string;
}

/** An error answer, RFC 9457. */
export class ProblemResponse {
  @ApiProperty({ format: 'uri-reference', example: '/problems/invalid-request' })
  type!: string;

  @ApiProperty({ example: 'The request is not valid' })
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty({ example: 'Some members of the request break a rule. Each is listed in errors.' })
  detail!: string;

  @ApiProperty({ format: 'uri-reference', example: '/api/users' })
  instance!: string;

  @ApiProperty({
    description: 'Stable and machine-readable. Later versions may know more.',
    enum: PROBLEM_CODES,
    example: 'invalid-request',
  })
  code!: ProblemCode;

  @ApiProperty({
    description: 'The log holds more under this id.',
    example: '6f9d9c1e-1f5d-4a53-8f65-31b0e6c5a0c9',
  })
  requestId!: string;

  @ApiPropertyOptional({ type: [InvalidMemberResponse], description: 'For invalid input only.' })
  errors?: InvalidMemberResponse[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'For `not-ready` only: what is well and what is not, on the management port.',
  })
  checks?: Record<string, unknown>;
}

/** What a route that takes no body can answer when it is sent one all the same. */
export const STRAY_BODY_PROBLEMS = [
  'malformed-request',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies ProblemCode[];

/** What a route that reads a body can answer besides its own problems. */
export const BODY_PROBLEMS = [
  'invalid-request',
  ...STRAY_BODY_PROBLEMS,
] as const satisfies ProblemCode[];

/** What the guard can answer in front of a route. */
export const GUARD_PROBLEMS = [
  'missing-token',
  'invalid-token',
  'store-unavailable',
] as const satisfies ProblemCode[];

/** What any route can answer. */
export const ANY_ROUTE_PROBLEMS = [
  'request-timeout',
  'headers-too-large',
  'internal-error',
] as const satisfies ProblemCode[];

export const PROBLEM_JSON = 'application/problem+json';

/** What an answer with this code has besides the members of all. */
const FURTHER_MEMBERS: Partial<Record<ProblemCode, object>> = {
  'invalid-request': {
    errors: [
      {
        pointer: '/unknown',
        code: 'unknown-member',
        detail: ruleText({ code: 'unknown-member' }, 'en'),
      },
    ],
  },
  'not-ready': { checks: {} },
};

/** Documents the problems that a route can answer, one response for each status. */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  const responses = problemResponses([...codes, ...ANY_ROUTE_PROBLEMS]).map((response) =>
    ApiResponse(response),
  );
  return applyDecorators(ApiExtraModels(ProblemResponse), ...responses);
}

export interface DocumentedProblems {
  readonly status: number;
  readonly description: string;
  readonly headers?: Record<string, { description: string; schema: { type: string } }>;
  readonly content: Record<
    typeof PROBLEM_JSON,
    { schema: { $ref: string }; examples: Record<string, { value: ProblemResponse }> }
  >;
}

/** The responses of an operation that can answer these problems, one for each status, each with an example for each code. */
export function problemResponses(named: readonly ProblemCode[]): DocumentedProblems[] {
  const codes = [...new Set(named)];
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  return statuses.map((status) => {
    const group = codes.filter((code) => PROBLEMS[code].status === status);
    return {
      status,
      description: group.map((code) => problemText(code, 'title', 'en')).join('; '),
      ...(status === 401 ? { headers: header('WWW-Authenticate', 'RFC 6750.') } : {}),
      ...(status === 429 || status === 503
        ? { headers: header('Retry-After', 'Seconds to wait.') }
        : {}),
      content: {
        [PROBLEM_JSON]: {
          schema: { $ref: getSchemaPath(ProblemResponse) },
          examples: Object.fromEntries(group.map((code) => [code, { value: example(code) }])),
        },
      },
    };
  });
}

function header(name: string, description: string): NonNullable<DocumentedProblems['headers']> {
  return { [name]: { description, schema: { type: 'string' } } };
}

function example(code: ProblemCode): ProblemResponse {
  return {
    type: `/problems/${code}`,
    title: problemText(code, 'title', 'en'),
    status: PROBLEMS[code].status,
    detail: problemText(code, 'detail', 'en'),
    instance: '/api/user',
    code,
    requestId: '6f9d9c1e-1f5d-4a53-8f65-31b0e6c5a0c9',
    ...FURTHER_MEMBERS[code],
  };
}
