import { Injectable, type PipeTransform } from '@nestjs/common';

import { RequestValidationPipe } from '../common/validation/index.js';
import { isEmpty } from './bearer-or-body.guard.js';
import { LogoutRequestBody } from './dto/logout.request.dto.js';

/** Checks the optional body of a logout. @returns undefined without a body */
@Injectable()
export class LogoutBodyPipe implements PipeTransform<unknown, Promise<unknown>> {
  private readonly pipe = new RequestValidationPipe();

  async transform(body: unknown): Promise<unknown> {
    return isEmpty(body)
      ? undefined
      : this.pipe.transform(body, { type: 'body', metatype: LogoutRequestBody });
  }
}
