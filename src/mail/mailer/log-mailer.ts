import { Injectable, Logger } from '@nestjs/common';

import type { Mailer, MailMessage, MailOutcome } from './mailer.js';

/** For development only: writes mails to the log, with their links, which anybody who reads the log can use. */
@Injectable()
export class LogMailer implements Mailer {
  private readonly logger = new Logger('Mail');

  send({ to, subject, text }: MailMessage): Promise<MailOutcome> {
    this.logger.log({
      msg: 'MAIL_URL is not set, so this mail is only logged. In production, no link is logged.',
      mail: { to, subject, text },
    });
    return Promise.resolve({ outcome: 'accepted' });
  }
}
