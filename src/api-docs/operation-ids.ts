import type { OpenAPIObject } from '@nestjs/swagger';

import { operationsOf } from './operations.js';

/**
 * Names an operation that does not name itself with `@ApiOperation({ operationId })`: `NotesController.delete` becomes
 * `notesDelete`. It depends on nothing but these names, so it stays the same when other routes are added; and with two
 * parts it is a reserved word in no language.
 *
 * @param version of a route that is versioned
 */
export function operationId(controller: string, method: string, version?: string): string {
  const subject = controller.replace(/Controller$/, '') || controller;
  const id = [subject, method, version ?? ''].map(pascalCase).join('');
  return id.charAt(0).toLowerCase() + id.slice(1);
}

/** Ids must differ. The first route of a name keeps it; each other one gets its method and path behind. */
export function distinguishOperations(document: OpenAPIObject): void {
  const taken = new Set<string>();
  for (const { method, path, operation } of operationsOf(document)) {
    const { operationId: id } = operation;
    if (id !== undefined && taken.has(id)) {
      operation.operationId = id + pascalCase(`${method} ${path}`);
    }
    taken.add(operation.operationId ?? '');
  }
}

function pascalCase(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
