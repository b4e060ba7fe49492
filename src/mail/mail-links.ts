import { Inject, Injectable } from '@nestjs/common';

import type { Secret } from '../common/secret/index.js';
import { MAIL_OPTIONS } from './mail.module-definition.js';
import type { MailOptions } from './mail.options.js';

/** The links in mails. Their host comes from the settings, never from a request (OWASP Forgot Password Cheat Sheet). */
@Injectable()
export class MailLinks {
  constructor(@Inject(MAIL_OPTIONS) private readonly options: MailOptions) {}

  /** The token is in the fragment, which browsers send to no server, so that no log contains it. */
  to(page: 'reset-password' | 'verify-email', token: Secret): string {
    return `${this.options.publicUrl}/account/${page}#token=${token.reveal()}`;
  }
}
