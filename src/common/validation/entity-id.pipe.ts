import { Injectable, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';

import { Problem } from '../problem/index.js';

/** Normalizes an id in the path. A malformed id gets the same 404 as an unknown id. */
@Injectable()
export class EntityIdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isUUID(value)) {
      throw new Problem('not-found');
    }
    return value.toLowerCase();
  }
}
