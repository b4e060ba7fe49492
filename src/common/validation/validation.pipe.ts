import {
  ValidationPipe,
  type ArgumentMetadata,
  type ValidationError,
  type ValidationPipeOptions,
} from '@nestjs/common';

import { Problem, type InvalidMember } from '../problem/index.js';
import type { RuleFailure } from './rule-failure.js';
import type { RuleContext } from './rules.js';
import { basicFirst, standardFailure } from './standard-rules.js';

/** Validates bodies, queries and parameters against their classes, and reports all failures in one problem. */
export class RequestValidationPipe extends ValidationPipe {
  /** @param options override ours */
  constructor(options: ValidationPipeOptions = {}) {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: (errors) =>
        new Problem('invalid-request', { errors: errors.flatMap((error) => failures(error, '')) }),
      ...options,
      // Needed to find the texts of failed rules.
      validationError: { target: true, value: true },
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && this.toValidate(metadata) && !isPlainObject(value)) {
      throw new Problem('invalid-request', { errors: [{ pointer: '', code: 'not-an-object' }] });
    }
    const reserved = this.toValidate(metadata) ? reservedMembers(value) : [];
    if (reserved.length === 0) {
      return super.transform(value, metadata) as Promise<unknown>;
    }
    const others = (await this.failuresOf(value, metadata)).filter(
      ({ pointer }) => !reserved.some((member) => member.pointer === pointer),
    );
    throw new Problem('invalid-request', { errors: [...others, ...reserved] });
  }

  /** Returns all other failures, so that one response reports them together. */
  private async failuresOf(
    value: unknown,
    metadata: ArgumentMetadata,
  ): Promise<readonly InvalidMember[]> {
    try {
      await super.transform(value, metadata);
      return [];
    } catch (error) {
      return error instanceof Problem ? (error.options.errors ?? []) : [];
    }
  }
}

/**
 * Finds members with the names of inherited properties, such as `toString`. class-validator looks members up in an object and
 * treats these as known. Nest and class-transformer silently drop `prototype` and `constructor`. No request class has such
 * members.
 */
function reservedMembers(value: unknown): InvalidMember[] {
  return reservedNames(value, '').map((pointer) => ({ pointer, code: 'unknown-member' }));
}

function reservedNames(value: unknown, parent: string): string[] {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value)
    ? []
    : Object.entries(value).flatMap(([name, member]) => {
        const pointer = pointerTo(parent, name);
        return name === 'prototype' || name in Object.prototype
          ? [pointer]
          : reservedNames(member, pointer);
      });
}

/** @returns the JSON Pointer (RFC 6901) to a member of the object at `parent` */
export function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param list the member that holds the list, when the error is about an item: its rules apply to the items */
function failures(error: ValidationError, parent: string, list?: ValidationError): InvalidMember[] {
  const pointer = pointerTo(parent, error.property);
  const member = list !== undefined && isCollection(error.target) ? list : error;
  const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
    pointer,
    ...failureOf(name, message, error, member),
  }));
  return [
    ...basicFirst(own),
    ...(error.children ?? []).flatMap((child) => failures(child, pointer, member)),
  ];
}

function isCollection(value: unknown): boolean {
  return Array.isArray(value) || value instanceof Set || value instanceof Map;
}

function failureOf(
  constraint: string,
  message: string,
  error: ValidationError,
  member: ValidationError,
): RuleFailure {
  if (constraint === 'whitelistValidation') {
    return { code: 'unknown-member' };
  }
  const context = error.contexts?.[constraint] as Partial<RuleContext> | undefined;
  return context?.rule?.(error.value) ?? standardFailure(member, constraint, message);
}
