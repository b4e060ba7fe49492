import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';

import { PROBLEM_CODES, PROBLEMS, type ProblemCode } from './catalogue.js';
import { problemText } from './problem-texts.js';

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

/** Documents the problems that a route can answer, one response for each status. Any route can answer 408, 431 and 500. */
export function ApiProblems(...named: ProblemCode[]): MethodDecorator & ClassDecorator {
  const codes: ProblemCode[] = [
    ...new Set<ProblemCode>([...named, 'request-timeout', 'headers-too-large', 'internal-error']),
  ];
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))];
  const responses = statuses.map((status) => {
    const group = codes.filter((code) => PROBLEMS[code].status === status);
    return ApiResponse({
      status,
      description: group.map((code) => problemText(code, 'title', 'en')).join('; '),
      ...(status === 401 ? { headers: header('WWW-Authenticate', 'RFC 6750.') } : {}),
      ...(status === 429 || status === 503
        ? { headers: header('Retry-After', 'Seconds to wait.') }
        : {}),
      content: {
        'application/problem+json': {
          schema: { $ref: getSchemaPath(ProblemResponse) },
          examples: Object.fromEntries(group.map((code) => [code, { value: example(code) }])),
        },
      },
    });
  });
  return applyDecorators(ApiExtraModels(ProblemResponse), ...responses);
}

function header(name: string, description: string): Record<string, object> {
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
  };
}
