import type { OpenAPIObject } from '@nestjs/swagger';

import type { OAUTH_ERRORS_MARK } from '../common/http/index.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

export type OperationObject = NonNullable<
  OpenAPIObject['paths'][string][(typeof METHODS)[number]]
> & {
  'x-required-permissions'?: string[];
  'x-requires-unlimited-token'?: boolean;
  'x-any-method'?: boolean;
  [OAUTH_ERRORS_MARK]?: boolean;
};

export interface DocumentedOperation {
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly operation: OperationObject;
}

/** Returns all operations in the order of the document. */
export function operationsOf(document: OpenAPIObject): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

/** Whether one of the security requirements is empty, so that no token is required. */
export function isPublic({ security }: OperationObject): boolean {
  return security?.some((way) => Object.keys(way).length === 0) ?? false;
}
