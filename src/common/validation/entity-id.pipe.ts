import { Injectable, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';

import { Problem } from '../problem/index.js';

/** An id from the address. One that cannot be an id is not found, like one that nobody has. */
@Injectable()
export class EntityIdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isUUID(value)) {
      throw new Problem('not-found');
    }
    return value.toLowerCase();
  }
}
