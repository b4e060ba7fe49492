import type { OpenAPIObject } from '@nestjs/swagger';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

export type OperationObject = NonNullable<
  OpenAPIObject['paths'][string][(typeof METHODS)[number]]
> & { 'x-required-permissions'?: string[] };

export interface DocumentedOperation {
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly operation: OperationObject;
}

/** In the order of the document. */
export function operationsOf(document: OpenAPIObject): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
}

/** As the guard does: denied by default, and open when a way in needs nothing. */
export function isPublic({ security }: OperationObject): boolean {
  return security?.some((way) => Object.keys(way).length === 0) ?? false;
}
