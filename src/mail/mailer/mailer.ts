/** A mail to one recipient, ready to send. */
export interface MailMessage {
  /** Unique, and the same in every attempt to send this mail. For the header `Message-ID`, so that recipients recognize a repetition. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type MailOutcome =
  | { readonly outcome: 'accepted' }
  /** The same mail would be refused again. `reason` is for operators, and contains no address. */
  | { readonly outcome: 'refused'; readonly reason: string };

/**
 * Sends mails. The default sends them to the SMTP server of `MAIL_URL`. An instance in development without this setting writes them to
 * the log. Keyslot calls it for at most five mails at the same time.
 *
 * @example
 * class MailApi implements Mailer {
 *   constructor(private readonly client: Client) {}
 *   async send(mail: MailMessage, signal: AbortSignal): Promise<MailOutcome> {
 *     const { status } = await this.client.post('/messages', { ...mail, idempotencyKey: mail.id }, { signal });
 *     return status === 422 ? { outcome: 'refused', reason: 'status 422' } : { outcome: 'accepted' };
 *   }
 * }
 */
export interface Mailer {
  /**
   * Returns when another system is responsible for the mail. After an error the mail is sent again later. The message of the error
   * reaches the log, so it must not contain an address or a part of the mail.
   *
   * @param signal aborts the attempt after 30 seconds, and when the application closes. What is sent after that is sent twice
   */
  send(mail: MailMessage, signal: AbortSignal): Promise<MailOutcome>;
}

export const MAILER = Symbol('MAILER');
