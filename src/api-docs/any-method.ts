import type { OpenAPIObject } from '@nestjs/swagger';

import type { OperationObject } from './operations.js';

/**
 * Keeps only GET of a route for any method, which OpenAPI cannot express. The route has `@All()` and
 * `@ApiExtension('x-any-method', true)`.
 */
export function documentAnyMethodOnce(document: OpenAPIObject): void {
  for (const [path, { get }] of Object.entries(document.paths)) {
    if ((get as OperationObject | undefined)?.['x-any-method']) {
      document.paths[path] = { get: get! };
    }
  }
}
