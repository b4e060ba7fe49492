import type { OpenAPIObject } from '@nestjs/swagger';

import { OAUTH_ERRORS_MARK } from '../common/http/index.js';
import {
  PROBLEM_JSON,
  problemResponses,
  type DocumentedProblems,
  type ProblemResponse,
} from '../common/api-problems/index.js';
import {
  ANY_ROUTE_PROBLEMS,
  BODY_PROBLEMS,
  GUARD_PROBLEMS,
  ruleText,
  STRAY_BODY_PROBLEMS,
  type ProblemCode,
} from '../common/problem/index.js';
import { documentOAuthErrors } from './oauth-errors.js';
import {
  isPublic,
  operationsOf,
  type DocumentedOperation,
  type OperationObject,
} from './operations.js';
import { permissionText } from './documented-permissions.js';

/** Methods for which a body is read and checked even if the route does not use it. */
const READS_BODY = ['post', 'put', 'patch', 'delete'];
/** Problems that occur before the path is known. */
const EARLY: readonly string[] = ['request-timeout', 'headers-too-large'] satisfies ProblemCode[];
const EXAMPLE_ID = '0c0d2a3e-2a57-4c5e-9d0b-6a5ad1b0f3c1';

interface Parameter {
  readonly name?: string;
  readonly in?: string;
  readonly schema?: { readonly minimum?: number; readonly maximum?: number };
}

interface Response {
  description: string;
  headers?: DocumentedProblems['headers'];
  content?: Partial<DocumentedProblems['content']>;
}

/**
 * Documents the problems of the guard, of bodies and of the server for every route, including those of an application.
 * Existing documentation of a route is kept.
 *
 * @param options.publicPath prefix of the paths in the examples
 * @param options.alwaysServed paths that never answer `overloaded`
 */
export function documentProblems(
  document: OpenAPIObject,
  {
    publicPath,
    alwaysServed,
  }: { readonly publicPath: string; readonly alwaysServed: readonly string[] },
): void {
  for (const documented of operationsOf(document)) {
    if (documented.operation[OAUTH_ERRORS_MARK]) {
      documentOAuthErrors(documented);
      delete documented.operation[OAUTH_ERRORS_MARK];
      continue;
    }
    const { responses } = documented.operation as { responses: Record<string, Response> };
    for (const { status, ...added } of problemResponses(problemsOf(documented, alwaysServed))) {
      responses[status] = merge(responses[status], added);
    }
    const permissions = documented.operation['x-required-permissions'];
    const forbidden = responses[403];
    if (permissions && forbidden) {
      responses[403] = {
        ...forbidden,
        description: `${forbidden.description.replace(/\.$/, '')}. ${permissionText(permissions)}`,
      };
    }
    const path = publicPath + documented.path.replace(/\{[^}]+\}/g, EXAMPLE_ID);
    const errors = queryErrorsOf(documented.operation);
    Object.values(responses).forEach((response) =>
      placeExamples(response, { path, publicPath, errors }),
    );
  }
}

function problemsOf(
  { method, path, operation }: DocumentedOperation,
  alwaysServed: readonly string[],
): ProblemCode[] {
  const ofBody = operation.requestBody ? BODY_PROBLEMS : STRAY_BODY_PROBLEMS;
  return [
    ...(operation.requestBody || READS_BODY.includes(method) ? ofBody : []),
    ...(isPublic(operation) ? [] : GUARD_PROBLEMS),
    ...(alwaysServed.includes(path) ? [] : (['overloaded'] as const)),
    ...(operation['x-required-permissions'] ? (['forbidden'] as const) : []),
    ...(operation['x-requires-unlimited-token'] ? (['unlimited-token-required'] as const) : []),
    ...ANY_ROUTE_PROBLEMS,
  ];
}

function merge(own: Response | undefined, added: Response): Response {
  if (!own?.content) {
    return { ...added, ...own, description: own?.description || added.description };
  }
  const examples = own.content[PROBLEM_JSON]?.examples;
  const { schema, examples: addedExamples } = added.content![PROBLEM_JSON]!;
  if (own.content[PROBLEM_JSON] && !examples) {
    return own;
  }
  const missing = Object.entries(addedExamples).filter(([code]) => !examples?.[code]);
  return {
    ...own,
    description: [own.description, ...missing.map(([, { value }]) => value.title)]
      .filter(Boolean)
      .join('; '),
    ...(added.headers ? { headers: { ...added.headers, ...own.headers } } : {}),
    content: {
      ...own.content,
      [PROBLEM_JSON]: { schema, examples: { ...examples, ...Object.fromEntries(missing) } },
    },
  };
}

/** The errors of a number that is out of range, for an operation that reads a query and no body. */
function queryErrorsOf({
  parameters = [],
  requestBody,
}: OperationObject): ProblemResponse['errors'] {
  const [number] = parameters.flatMap((parameter) => {
    const { name, in: place, schema } = parameter as Parameter;
    const { minimum: min, maximum: max } = schema ?? {};
    return place === 'query' && min !== undefined && max !== undefined ? [{ name, min, max }] : [];
  });
  if (requestBody || !number) {
    return undefined;
  }
  const { name, ...params } = number;
  const code = 'not-in-range';
  return [{ pointer: `/${name}`, code, detail: ruleText({ code, params }, 'en') }];
}

/**
 * Adapts the paths in the examples. It copies the objects, because decorators share them.
 *
 * @param place.errors of an invalid query, if the operation has one
 */
function placeExamples(
  response: Response,
  place: {
    readonly path: string;
    readonly publicPath: string;
    readonly errors: ProblemResponse['errors'];
  },
): void {
  const { path, publicPath, errors } = place;
  const problems = response.content?.[PROBLEM_JSON];
  if (!problems?.examples) {
    return;
  }
  const placed = Object.entries(problems.examples).map(([code, { value }]) => {
    const type = value.type.startsWith('/') ? publicPath + value.type : value.type;
    const instance = EARLY.includes(value.code) ? `${publicPath}/` : path;
    const ofQuery = code === 'invalid-request' && errors ? { errors } : {};
    return [code, { value: { ...value, type, instance, ...ofQuery } satisfies ProblemResponse }];
  });
  response.content = {
    ...response.content,
    [PROBLEM_JSON]: {
      ...problems,
      examples: Object.fromEntries(placed) as typeof problems.examples,
    },
  };
}
