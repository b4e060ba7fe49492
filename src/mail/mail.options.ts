import type { SmtpOptions } from './mailer/smtp-mailer.js';

export interface MailOptions {
  /** The SMTP server. Absent: no mails are sent, unless `isLogged` or the option `mailer` of the module is set. */
  readonly smtp?: SmtpOptions;
  /** Without an SMTP server, mails are written to the log, with their links. For development only. Default false. */
  readonly isLogged?: boolean;
  /** The URL of the API in links, without a slash at its end. Never from a request. */
  readonly publicUrl: string;
  /** Whether to send the mails of the outbox. Default true. */
  readonly doesDueWork?: boolean;
}
