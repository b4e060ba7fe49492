import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';

import {
  ANY_ROUTE_PROBLEMS,
  PROBLEM_CODES,
  PROBLEMS,
  problemText,
  type ProblemCode,
} from '../problem/index.js';
import { ruleText } from '../problem/problem-texts.js';

export class InvalidMemberResponse {
  @ApiProperty({
    description:
      'JSON Pointer into the body (RFC 6901); for a query, `/` and the name of the parameter.',
    example: '/password',
  })
  pointer!: string;

  @ApiProperty({ example: 'too-short' })
  code!: string;

  @ApiProperty({ example: 'Too short. Minimum number of characters: 15.' })
  detail!: string;
}

/** The body of an error response (RFC 9457). */
export class ProblemResponse {
  @ApiProperty({ format: 'uri-reference', example: '/problems/invalid-request' })
  type!: string;

  @ApiProperty({ example: 'The request is not valid' })
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty({
    example: 'Some members of the request are invalid. The member errors lists each of them.',
  })
  detail!: string;

  @ApiProperty({ format: 'uri-reference', example: '/api/users' })
  instance!: string;

  @ApiProperty({
    description: 'Stable and machine-readable. Later versions may add codes.',
    enum: PROBLEM_CODES,
    example: 'invalid-request',
  })
  code!: ProblemCode;

  @ApiProperty({
    description: 'Id of the request. The log of the server has the details.',
    example: '6f9d9c1e-1f5d-4a53-8f65-31b0e6c5a0c9',
  })
  requestId!: string;

  @ApiPropertyOptional({
    type: [String],
    description:
      'Only for `second-factor-required`: the types of the factors of which the user can present one.',
  })
  factors?: string[];

  @ApiPropertyOptional({
    description:
      'Only for `second-factor-required` of a login: for `POST /api/login/second-factor`, and for the options of a passkey.',
  })
  challenge?: string;

  @ApiPropertyOptional({ type: [InvalidMemberResponse], description: 'Only for invalid input.' })
  errors?: InvalidMemberResponse[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Only for `not-ready` on the management port: the result of each health check.',
  })
  checks?: Record<string, unknown>;
}

export const PROBLEM_JSON = 'application/problem+json';

/** Members of the example, in addition to those of every problem. */
const EXTRA_MEMBERS: Partial<Record<ProblemCode, object>> = {
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
  'second-factor-required': { factors: ['recovery-code', 'totp', 'passkey'] },
};

const PROBLEMS_OF_ROUTE = 'keyslot:problems-of-route';

/**
 * Names the problems that a route, or each route of a controller, can answer. They are described when the API document is
 * created, which is at the first request for it: to describe them at once takes a sixth of the start.
 */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const decorated = (descriptor?.value ?? target) as object;
    const named = (Reflect.getMetadata(PROBLEMS_OF_ROUTE, decorated) ?? []) as ProblemCode[];
    Reflect.defineMetadata(PROBLEMS_OF_ROUTE, [...codes, ...named], decorated);
  };
}

/** Describes the problems that `ApiProblems` names on a route or controller, one response for each status. */
export function describedProblems(decorated: object): (MethodDecorator & ClassDecorator)[] {
  const codes = Reflect.getMetadata(PROBLEMS_OF_ROUTE, decorated) as ProblemCode[] | undefined;
  return codes
    ? [
        ApiExtraModels(ProblemResponse),
        ...problemResponses([...codes, ...ANY_ROUTE_PROBLEMS]).map((response) =>
          ApiResponse(response),
        ),
      ]
    : [];
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

/** OpenAPI responses for these problems: one per status, with one example per code. */
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
    ...EXTRA_MEMBERS[code],
  };
}
