export { MailLinks } from './mail-links.js';
export { MailModule } from './mail.module.js';
export type { MailOptions } from './mail.options.js';
export { MAILER, type Mailer, type MailMessage, type MailOutcome } from './mailer/mailer.js';
export type { SmtpOptions } from './mailer/smtp-mailer.js';
export { MailDelivery, type ComposedMail, type MailComposer } from './outbox/mail-delivery.js';
export { MailOutbox, type FailedEntry, type OutboxEntry } from './outbox/mail-outbox.js';
export { DefaultMailTemplates } from './templates/default-mail-templates.js';
export {
  MAIL_TEMPLATES,
  type MailContent,
  type MailKind,
  type MailTemplates,
  type MailValues,
} from './templates/mail-templates.js';
