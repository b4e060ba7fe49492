import type { OpenAPIObject } from '@nestjs/swagger';

import { operationsOf } from './operations.js';

/**
 * Creates the id of an operation without `@ApiOperation({ operationId })`: `NotesController.delete` becomes `notesDelete`. It
 * depends only on these names, so it is stable when routes are added. With two parts, it is not a reserved word in any
 * language.
 *
 * @param version of a versioned route
 */
export function operationId(controller: string, method: string, version?: string): string {
  const subject = controller.replace(/Controller$/, '') || controller;
  const id = [subject, method, version ?? ''].map(pascalCase).join('');
  return id.charAt(0).toLowerCase() + id.slice(1);
}

/** Makes duplicate ids unique: the first operation keeps the id, and others get their method and path appended. */
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
