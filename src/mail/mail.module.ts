import { Module } from '@nestjs/common';

import { ClockModule } from '../common/clock/index.js';
import { MailLinks } from './mail-links.js';
import { ConfigurableModuleClass, MAIL_OPTIONS } from './mail.module-definition.js';
import type { MailOptions } from './mail.options.js';
import { LogMailer } from './mailer/log-mailer.js';
import { MAILER, type Mailer } from './mailer/mailer.js';
import { SmtpMailer } from './mailer/smtp-mailer.js';
import { MailDelivery } from './outbox/mail-delivery.js';
import { MailOutbox } from './outbox/mail-outbox.js';
import { DefaultMailTemplates } from './templates/default-mail-templates.js';
import { MAIL_TEMPLATES } from './templates/mail-templates.js';

/**
 * Mails: an outbox in Redis, and the delivery. The option `mailer` replaces how they are sent, and `templates` what they contain.
 * Needs RedisClusterModule and MetricsModule in the same application.
 */
@Module({
  imports: [ClockModule],
  providers: [
    MailOutbox,
    MailDelivery,
    MailLinks,
    { provide: MAIL_TEMPLATES, useClass: DefaultMailTemplates },
    {
      provide: MAILER,
      inject: [MAIL_OPTIONS],
      useFactory: ({ smtp, isLogged }: MailOptions): Mailer | undefined => {
        if (smtp) {
          return new SmtpMailer(smtp);
        }
        return isLogged ? new LogMailer() : undefined;
      },
    },
  ],
  exports: [MailOutbox, MailDelivery, MailLinks],
})
export class MailModule extends ConfigurableModuleClass {}
