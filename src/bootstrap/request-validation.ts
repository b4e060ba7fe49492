import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { OWN_MODULES, type ValidationExtension } from '../app.module.js';
import { RequestValidationPipe } from '../common/validation/index.js';

/**
 * Creates the global pipe. The validation options of an application apply only to its own routes. Keyslot's routes stay strict.
 */
export function validationPipe(
  app: NestFastifyApplication,
  validation: ValidationExtension | undefined,
): PipeTransform {
  const strict = new RequestValidationPipe();
  if (validation === undefined) {
    return strict;
  }
  const ours = requestTypesOf(app);
  const theirs = pipeFor(validation);
  return {
    transform: (value: unknown, metadata: ArgumentMetadata): unknown =>
      (metadata.metatype && ours.has(metadata.metatype) ? strict : theirs).transform(
        value,
        metadata,
      ),
  };
}

function pipeFor(validation: ValidationExtension): PipeTransform {
  if (isPipe(validation)) {
    return validation;
  }
  const { allowUnknownQuery = false, ...options } = validation;
  const pipe = new RequestValidationPipe(options);
  if (!allowUnknownQuery) {
    return pipe;
  }
  const forQueries = new RequestValidationPipe({ ...options, forbidNonWhitelisted: false });
  return {
    transform: (value: unknown, metadata: ArgumentMetadata): unknown =>
      (metadata.type === 'query' ? forQueries : pipe).transform(value, metadata),
  };
}

/** Tests the type, because Nest's pipe also has a boolean option named `transform`. */
function isPipe(validation: ValidationExtension): validation is PipeTransform {
  return typeof validation.transform === 'function';
}

/** The classes of bodies, queries and parameters of Keyslot's routes. */
function requestTypesOf(app: NestFastifyApplication): ReadonlySet<unknown> {
  const scanner = new MetadataScanner();
  const types = app
    .get(DiscoveryService, { strict: false })
    .getControllers()
    .filter(({ host }) => OWN_MODULES.some((module) => module === host?.metatype))
    .flatMap(({ metatype }) => {
      const prototype = (metatype as Type<object>).prototype as object;
      return scanner
        .getAllMethodNames(prototype)
        .flatMap(
          (name) => (Reflect.getMetadata('design:paramtypes', prototype, name) ?? []) as unknown[],
        );
    });
  return new Set(types.filter((type) => !BUILT_IN.has(type)));
}

/** Applications use these types too, so they do not identify a route of Keyslot. */
const BUILT_IN = new Set<unknown>([Object, String, Number, Boolean, Array, Date]);
