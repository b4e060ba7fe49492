import { Injectable, type PipeTransform } from '@nestjs/common';

import { RequestValidationPipe } from '../common/validation/index.js';
import { isEmpty } from './bearer-or-body.guard.js';
import { LogoutRequestBody } from './dto/logout.request.dto.js';

/** Checks the body of a logout where there is one. @returns undefined without one */
@Injectable()
export class LogoutBodyPipe implements PipeTransform<unknown, Promise<unknown>> {
  private readonly pipe = new RequestValidationPipe();

  async transform(body: unknown): Promise<unknown> {
    return isEmpty(body)
      ? undefined
      : this.pipe.transform(body, { type: 'body', metatype: LogoutRequestBody });
  }
}
